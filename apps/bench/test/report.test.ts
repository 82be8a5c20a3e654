import { expect, test } from 'vitest'
import { html } from '../src/report/html.ts'
import { markdown } from '../src/report/markdown.ts'
import { judge } from '../src/targets.ts'
import { oursAt, resultOf, spreadAround, tableWith } from './made.ts'

const peer = (name: string, ours: number) =>
  ({ subject: name, kind: 'peer', cost: spreadAround(50), ratio: spreadAround(1), ours: spreadAround(ours) }) as const

function verdict(claim: RegExp, ...tables: Parameters<typeof judge>[0]) {
  return judge(tables).find((each) => each.backend === 'redis' && claim.test(each.claim))
}

test('a target is kept or not by its median, and unjudged where it was not measured', () => {
  expect(verdict(/raw floors/, tableWith([oursAt(1.05)]))?.kept).toBe(true)
  expect(verdict(/raw floors/, tableWith([oursAt(1.2)]))?.kept).toBe(false)
  expect(verdict(/raw floors/)?.kept).toBeUndefined()
})

test('throughput is the inverse of the cost, with its spread turned round', () => {
  const table = tableWith([oursAt(1.25)], { workload: 'many-names', case: '64 names at once' })
  expect(verdict(/throughput/, table)?.measured?.median).toBeCloseTo(0.8)
  expect(verdict(/throughput/, table)?.kept).toBe(false)
})

test('ours is held against the fastest peer of each workload, where that is worst', () => {
  const table = tableWith([oursAt(1), peer('slow', 0.5), peer('fast', 1.3)])
  const found = verdict(/^uncontended: .* fastest peer/, table)
  expect(found?.measured?.where).toBe('fast, one at a time')
  expect(found?.kept).toBe(false)
})

test('counts are exact', () => {
  const at = (trips: number) =>
    tableWith([{ subject: '@locks', kind: 'ours', facts: { 'round trips to acquire': trips } }], {
      workload: 'slow-network',
      case: '5 ms each way',
    })
  expect(verdict(/trips to acquire/, at(1))?.kept).toBe(true)
  expect(verdict(/trips to acquire/, at(2))?.kept).toBe(false)
})

test('both reports say who wins, who cannot and why, and the page needs nothing from elsewhere', () => {
  const cannot = { subject: 'a <peer>', kind: 'peer', cannot: 'has no <wait>' } as const
  const result = resultOf([tableWith([oursAt(1.05), peer('redlock', 1.3), cannot])])
  const page = html(result)
  expect(page).toContain('has no &lt;wait&gt;')
  expect(page).not.toContain('<peer>')
  expect(page).not.toMatch(/(src|href)="(?!#)|url\(|@import/)
  expect(page).toContain('prefers-color-scheme: dark')
  const text = markdown(result)
  expect(text).toMatch(/\| redlock \| redis \| A free lock: one at a time \| 1\.30/)
  expect(text).toContain('has no <wait>')
})
