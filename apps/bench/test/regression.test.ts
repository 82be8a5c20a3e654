import { expect, test } from 'vitest'
import { regressions } from '../src/regression.ts'
import { oursAt, spreadAround, tableWith } from './made.ts'

test('a ratio that has grown by more than the spread of both runs explains is a regression', () => {
  const [before, same, worse] = [oursAt(1.1), oursAt(1.2), oursAt(1.4)].map((row) => [tableWith([row])])
  expect(regressions(before ?? [], same ?? [])).toEqual([])
  const [found] = regressions(before ?? [], worse ?? [])
  expect(found?.what).toBe('redis, uncontended, one at a time, @locks')
  expect(found?.allowed).toBeCloseTo(1.1 * 1.15)
})

test('where rounds were far apart, more is allowed', () => {
  expect(regressions([tableWith([oursAt(1.1, 0.4)])], [tableWith([oursAt(1.4)])])).toEqual([])
})

test('what peers cost, what is new, and what has another base are not compared', () => {
  const peer = (ratio: number) => ({ subject: 'redlock', kind: 'peer', ratio: spreadAround(ratio) }) as const
  expect(regressions([tableWith([peer(1)])], [tableWith([peer(9)])])).toEqual([])
  expect(regressions([], [tableWith([oursAt(9)])])).toEqual([])
  expect(regressions([tableWith([oursAt(1)], { base: '@locks' })], [tableWith([oursAt(9)])])).toEqual([])
})
