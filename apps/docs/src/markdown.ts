import { posix } from 'node:path'
import { isFile, isServed, pages, read, servedAt } from './files.ts'

/** As GitHub makes them, since the documents are read there too. */
export function slugify(heading: string): string {
  const kept = heading
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}\p{Pc}\- ]/gu, '')
  return kept.replaceAll(' ', '-')
}

interface Line {
  readonly text: string
  /** Whether it belongs to a block of code, its fences included. */
  readonly code: boolean
}

function linesOf(markdown: string): Line[] {
  let fence = ''
  return markdown.split('\n').map((text) => {
    const mark = /^ *(`{3,})/.exec(text)?.[1] ?? ''
    const code = fence !== '' || mark !== ''
    if (fence === '') fence = mark
    else if (mark === fence) fence = ''
    return { text, code }
  })
}

/** Changes the lines that stand outside of blocks of code. */
export function outsideCode(markdown: string, change: (line: string) => string): string {
  return linesOf(markdown)
    .map(({ text, code }) => (code ? text : change(text)))
    .join('\n')
}

const rankOf = ({ text, code }: Line): number => (code ? 0 : (/^#+(?= )/.exec(text)?.[0].length ?? 0))

function findHeading(lines: readonly Line[], slug: string): { first: number; heading: Line } {
  const isIt = (line: Line) => rankOf(line) > 0 && slugify(line.text.replace(/^#+/, '').replaceAll('`', '')) === slug
  const first = lines.findIndex(isIt)
  const heading = lines[first]
  if (!heading) throw new Error(`there is no heading #${slug}`)
  return { first, heading }
}

/** With something put right below a heading. */
export function belowHeading(markdown: string, slug: string, what: string): string {
  const lines = markdown.split('\n')
  const { first } = findHeading(linesOf(markdown), slug)
  return lines.toSpliced(first + 1, 0, '', what).join('\n')
}

/** What stands under a heading, as far as the next one of its rank. */
export function section(markdown: string, slug: string): string {
  const lines = linesOf(markdown)
  const { first, heading } = findHeading(lines, slug)
  const rest = lines.slice(first + 1)
  const end = rest.findIndex((line) => rankOf(line) > 0 && rankOf(line) <= rankOf(heading))
  return (end < 0 ? rest : rest.slice(0, end))
    .map(({ text }) => text)
    .join('\n')
    .trim()
}

export interface Linked {
  readonly markdown: string
  /** Files of the repository that are linked to and are no page. */
  readonly files: readonly string[]
}

/**
 * Links between files of the repository become links between pages; a file that is none is shown as its source, and HTML is
 * served as it is.
 */
export function relink(markdown: string, from: string): Linked {
  const files: string[] = []
  const linked = outsideCode(markdown, (line) =>
    line.replace(/\[((?:[^[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)/g, (whole, label: string, target: string) => {
      if (/^([a-z]+:|#|\/)/.test(target)) return whole
      const [path = '', anchor] = target.split('#')
      const file = posix.normalize(posix.join(posix.dirname(from), path)).replace(/\/$/, '')
      const hash = anchor === undefined ? '' : `#${anchor}`
      const page = pages.get(file) ?? pages.get(`${file}/README.md`)
      if (page !== undefined) return `[${label}](/${page}${hash})`
      // A folder has no page of its own.
      if (!isFile(file)) return label
      files.push(file)
      // Or it would be looked for among the pages of the site.
      if (isServed(file)) return `[${label}](/${servedAt(file)}){target="_self"}`
      return `[${label}](/${sourcePage(file)})`
    }),
  )
  return { markdown: linked, files }
}

/** A document that is no page must not look like one. */
export const sourcePage = (file: string): string => `source/${file.replace(/\.md$/, '-md')}.md`

/** A page that shows a file of the repository. */
export function sourceOf(file: string): string {
  return `---\noutline: false\n---\n\n# \`${posix.basename(file)}\`\n\n\`${file}\`\n\n${fenced(file)}\n`
}

/** A file as a block of code. */
export function fenced(file: string): string {
  const language = posix.extname(file).slice(1) || 'text'
  return `\`\`\`\`${language}\n${read(file).trimEnd()}\n\`\`\`\``
}
