import type { Result, Row, Table } from '../src/result.ts'
import type { Spread } from '../src/spread.ts'

/** Figures for tests of what is made of them. */
export const spreadAround = (median: number, width = 0.05): Spread => ({
  median,
  p10: median * (1 - width),
  p90: median * (1 + width),
  rounds: 9,
})

export function tableWith(rows: readonly Row[], about: Partial<Table> = {}): Table {
  return {
    workload: 'uncontended',
    backend: 'redis',
    case: 'one at a time',
    unit: 'µs',
    base: 'raw driver',
    rows,
    ...about,
  }
}

export const oursAt = (ratio: number, width?: number): Row => ({
  subject: '@locks',
  kind: 'ours',
  cost: spreadAround(100 * ratio),
  ratio: spreadAround(ratio, width),
})

export function resultOf(tables: readonly Table[]): Result {
  const machine = {
    date: '2026-01-01',
    cores: 2,
    processor: 'A <fast> one',
    memory: '8 GiB',
    system: 'Linux',
    minutes: 1,
  }
  return { quick: false, machine, versions: { node: '24' }, subjects: [], tables, failures: [] }
}
