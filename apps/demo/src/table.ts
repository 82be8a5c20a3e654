import { paint } from './text.ts'

export interface Column {
  readonly title: string
  readonly align: 'left' | 'right'
}

/** Lines of aligned columns under their titles. `paintCell` may colour a cell; it is given the text at its full width. */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  paintCell: (text: string, row: number, last: boolean) => string,
): string[] {
  const widths = columns.map(({ title }, at) => Math.max(title.length, ...rows.map((row) => row[at]?.length ?? 0)))
  const line = (cells: readonly string[], row: number) =>
    columns
      .map(({ align }, at) => {
        const cell = cells[at] ?? ''
        const width = widths[at] ?? 0
        // Nothing stands right of the last column: no blanks at a line's end.
        const last = at === columns.length - 1
        const text = align === 'right' ? cell.padStart(width) : last ? cell : cell.padEnd(width)
        return paintCell(text, row, last)
      })
      .join('  ')
  return [
    line(
      columns.map(({ title }) => title),
      -1,
    ),
    widths.map((width) => '-'.repeat(width)).join('  '),
    ...rows.map((row, at) => line(row, at)),
  ]
}

/** For a table whose last column says how it went. */
export function paintVerdict(text: string, row: number, last: boolean): string {
  if (row < 0) return paint('bold', text)
  if (!last) return text
  return paint(text === 'ok' ? 'green' : text === 'FAILED' ? 'red' : 'yellow', text)
}
