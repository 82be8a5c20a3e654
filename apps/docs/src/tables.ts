/** The cells of every table in a Markdown text, its titles first, without the line below them. */
export function tablesOf(markdown: string): string[][][] {
  return markdown
    .split(/\n(?:\s*\n)+/)
    .filter((block) => block.startsWith('|'))
    .map((block) =>
      block
        .split('\n')
        .filter((line, at) => at !== 1 && line.startsWith('|'))
        .map(cellsOf),
    )
}

/** The rows of the first table that has all these titles, each by title. */
export function rowsOf(markdown: string, ...titles: string[]): Record<string, string>[] {
  const table = tablesOf(markdown).find(([head = []]) => titles.every((title) => head.includes(title)))
  const [head = [], ...rows] = table ?? []
  if (head.length === 0) throw new Error(`there is no table with the titles ${titles.join(', ')}`)
  return rows.map((row) => Object.fromEntries(head.map((title, at) => [title, row[at] ?? ''])))
}

export function markdownTable(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  return [titles, titles.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

/** Tables as they are whatever the width of their columns. */
export const unpadded = (markdown: string): string => markdown.replace(/ {2,}/g, ' ').replace(/-{3,}/g, '---').trim()

/** The number that a cell begins with. */
export function number(text = ''): number {
  const found = Number.parseFloat(text)
  if (Number.isNaN(found)) throw new Error(`a number was expected in place of ${JSON.stringify(text)}`)
  return found
}

function cellsOf(line: string): string[] {
  return line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim())
}
