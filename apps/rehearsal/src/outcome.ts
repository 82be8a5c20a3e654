/** One thing that was tried. */
export interface Outcome {
  /** A row of the table: the package, and what it was tried with. */
  readonly row: string
  /** A column: what was done. */
  readonly column: string
  /** How long it took, ms. */
  readonly took: number
  /** What was said when it failed. */
  readonly problem?: string
}

export async function attempt(row: string, column: string, act: () => Promise<unknown>): Promise<Outcome> {
  const started = performance.now()
  const took = () => Math.round(performance.now() - started)
  try {
    await act()
    return { row, column, took: took() }
  } catch (error) {
    return { row, column, took: took(), problem: error instanceof Error ? error.message : String(error) }
  }
}

/** A line a row; a cell says `ok` and the seconds, or `FAILED`, for each thing that was tried there. */
export function table(outcomes: readonly Outcome[]): string {
  const rows = [...new Set(outcomes.map(({ row }) => row))]
  const columns = [...new Set(outcomes.map(({ column }) => column))]
  const cell = (row: string, column: string) =>
    outcomes
      .filter((each) => each.row === row && each.column === column)
      .map(({ problem, took }) => (problem === undefined ? `ok ${(took / 1_000).toFixed(1)}` : 'FAILED'))
      .join(', ')
  const lines = [['', ...columns], ...rows.map((row) => [row, ...columns.map((column) => cell(row, column))])]
  const widths = lines[0]?.map((_, at) => Math.max(...lines.map((line) => line[at]?.length ?? 0))) ?? []
  return lines
    .map((line) =>
      line
        .map((text, at) => text.padEnd(widths[at] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
