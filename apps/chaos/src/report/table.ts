import type { Summary } from './summary.ts'

const columns = [
  'backend',
  'mode',
  'seed',
  'seconds',
  'operations',
  'faults',
  'excused',
  'unchecked lost',
  'violations',
]

/** One line a run. */
export function table(summaries: readonly Summary[]): string {
  const rows = [columns, ...summaries.map(row)]
  const widths = columns.map((_, at) => Math.max(...rows.map((cells) => cells[at]?.length ?? 0)))
  const right = (at: number) => at > 1
  return rows
    .map((cells) =>
      cells.map((cell, at) => (right(at) ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0))),
    )
    .map((cells) => cells.join('  ').trimEnd())
    .join('\n')
}

/** The cells of a run, as every table has them. */
export function row({
  backend,
  mode,
  seed,
  seconds,
  operations,
  faults,
  checks,
  unchecked,
  violations,
}: Summary): string[] {
  const sum = (counts: Readonly<Record<string, number>>) => Object.values(counts).reduce((all, each) => all + each, 0)
  const excused = checks.reduce((all, each) => all + sum(each.excused), 0)
  const lost = `${unchecked.lost} of ${unchecked.writes}`
  return [backend, mode, seed, seconds, operations, sum(faults), excused, lost, violations].map(String)
}

/** What was found, for whoever has to look into it. */
export function complaints({ backend, mode, seed, checks, replay }: Summary): string[] {
  const found = checks.filter(({ violations }) => violations > 0)
  if (found.length === 0) return []
  const lines = found.flatMap(({ checker, violations, first }) => [
    `  ${checker}: ${violations}`,
    ...first.slice(0, 3).map(({ message, name }) => `    ${name === undefined ? '' : `${name}: `}${message}`),
  ])
  return [`${backend}, ${mode}, seed ${seed}:`, ...lines, `  again: ${replay}`]
}
