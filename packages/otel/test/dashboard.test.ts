import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { everything } from './everything.ts'
import { scraped, translated, type Series } from './prometheus.ts'
import { parse, select } from './promql.ts'
import type { Sdk } from './sdk.ts'

interface Variable {
  readonly name: string
  readonly type: string
  readonly definition?: string
  readonly query: unknown
}

interface Dashboard {
  readonly panels: readonly {
    readonly title: string
    readonly targets: readonly { readonly expr: string; readonly legendFormat: string }[]
  }[]
  readonly templating: { readonly list: readonly Variable[] }
}

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8')
const dashboard = JSON.parse(read('../grafana/locks.json')) as Dashboard
const targets = dashboard.panels.flatMap((panel) => panel.targets.map((target) => ({ ...target, title: panel.title })))
const variables = dashboard.templating.list.filter(({ type }) => type === 'query')

/** As Grafana asks with everything chosen. */
function filledIn(expr: string): string {
  const filled = expr
    .replaceAll(/\$__(?:rate_interval|range)\b/g, '5m')
    .replaceAll(/\$(\w+)/g, (whole, name: string) => (variables.some((each) => each.name === name) ? '.*' : whole))
  expect(filled).not.toContain('$')
  return filled
}

let sdk: Sdk
const ways: Record<'scraped' | 'translated', Series[]> = { scraped: [], translated: [] }

beforeAll(async () => {
  sdk = await everything()
  const metrics = (await sdk.collect()) ?? expect.unreachable('nothing was measured')
  ways.scraped = scraped(metrics)
  ways.translated = translated(metrics)
})

afterAll(() => sdk.shutdown())

describe.each(['scraped', 'translated'] as const)('with names as they are %s', (way) => {
  test.each(targets)('$title: $expr', ({ expr, legendFormat }) => {
    const { selectors, by } = parse(filledIn(expr))
    expect(selectors).not.toEqual([])
    for (const matchers of selectors) {
      const found = select(ways[way], matchers)
      expect({ matchers, found }).not.toEqual({ matchers, found: [] })
      for (const label of by) expect(found.some(({ labels }) => label in labels)).toBe(true)
    }
    for (const [, label] of legendFormat.matchAll(/\{\{(\w+)\}\}/g)) expect(by).toContain(label)
  })

  test.each(variables)('the variable $name: $definition', ({ name, definition = '', query }) => {
    expect(query).toEqual({ query: definition, refId: name })
    const [, selector = '', label = ''] = /^label_values\((.*), (\w+)\)$/.exec(definition) ?? []
    const [matchers = []] = parse(filledIn(selector)).selectors
    const found = select(ways[way], matchers)
    expect(found).not.toEqual([])
    expect(found.every(({ labels }) => label in labels)).toBe(true)
  })

  test('everything that is measured has its place', () => {
    const asked = targets.flatMap(({ expr }) => parse(filledIn(expr)).selectors)
    const seen = new Set(asked.flatMap((matchers) => select(ways[way], matchers)).map(({ name }) => base(name)))
    expect([...seen].toSorted()).toEqual([...new Set(ways[way].map(({ name }) => base(name)))].toSorted())
  })
})

test('names with the unit are those of the translation of OTLP, and those without it those of the exporter', () => {
  const names = (series: readonly Series[]) => [...new Set(series.map(({ name }) => base(name)))]
  expect(names(ways.scraped)).toContain('locks_acquire_duration')
  expect(names(ways.translated)).toContain('locks_acquire_duration_seconds')
  expect(names(ways.translated)).toContain('locks_losses_total')
  expect(names(ways.translated)).toContain('locks_held')
})

test('the README lists what is measured, with its unit, and nothing else', async () => {
  const rows = read('../README.md').matchAll(/^\| `(locks\.[\w.]+)` +\| [\w-]+ +\| `([^`]+)` +\|/gm)
  const listed = Array.from(rows, ([, name, unit]) => `${name} ${unit}`)
  const measured = (await sdk.metrics()).map(({ descriptor }) => `${descriptor.name} ${descriptor.unit}`)
  expect(listed.toSorted()).toEqual(measured.toSorted())
})

/** What a histogram's series have in common. */
function base(name: string): string {
  return name.replace(/_(?:bucket|count|sum)$/, '')
}
