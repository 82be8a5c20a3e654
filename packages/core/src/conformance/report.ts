import { appendFileSync, mkdirSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Outcome } from './case.ts'

/** Told of each case that did not fail. */
export type Report = (row: Row) => void

export interface Row {
  readonly id: string
  readonly outcome: Outcome
}

/** A report that adds a line of JSON for each case to a file. */
export function reportTo(file: string): Report {
  mkdirSync(dirname(file), { recursive: true })
  return (row) => appendFileSync(file, `${JSON.stringify(row)}\n`)
}

/** What such a file says of each case; the last line about a case counts. */
export function readReport(file: string): Map<string, Outcome> {
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean)
  return new Map(lines.map((line) => JSON.parse(line) as Row).map(({ id, outcome }) => [id, outcome]))
}
