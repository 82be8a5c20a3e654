import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { charts, illustrations } from './charts.ts'
import { workedChance } from './chances.ts'
import { isServed, pages, read, root, servedAt, site } from './files.ts'
import { belowHeading, fenced, outsideCode, relink, section, sourceOf, sourcePage, type Linked } from './markdown.ts'

/** Puts the pages of the site together, out of the documents of the repository. */
export function assemble(): void {
  rmSync(site, { recursive: true, force: true })
  const shown = new Set<string>()
  for (const [file, page] of pages) {
    const { markdown, files } = expand(relink(read(file), file), file)
    for (const each of files) shown.add(each)
    write(page, illustrated(markdown, file))
  }
  for (const file of shown) {
    if (isServed(file)) serve(file)
    else write(sourcePage(file), sourceOf(file))
  }
}

function write(page: string, text: string): void {
  const target = join(site, page)
  mkdirSync(dirname(target), { recursive: true })
  writeFileSync(target, text)
}

/** As it is, without the site around it. */
function serve(file: string): void {
  const target = join(site, 'public', servedAt(file))
  mkdirSync(dirname(target), { recursive: true })
  copyFileSync(join(root, file), target)
}

function illustrated(markdown: string, page: string): string {
  const wanted = Object.entries(illustrations[page] ?? {})
  return wanted.reduce((text, [heading, name]) => belowHeading(text, heading, chart(name, page)), markdown)
}

/**
 * What a page takes from elsewhere, each on a line of its own: `<!-- include FILE#heading -->`, `<!-- code FILE -->`,
 * `<!-- chart NAME -->` and `<!-- worked-chance BACKEND FAULT -->`.
 */
function expand({ markdown, files }: Linked, page: string): Linked {
  const more = [...files]
  const expanded = outsideCode(markdown, (line) => {
    const [, what, target = ''] = /^<!-- (include|code|chart|worked-chance) (.+) -->$/.exec(line) ?? []
    if (what === 'code') return fenced(target)
    if (what === 'chart') return chart(target, page)
    if (what === 'worked-chance') return workedChance(target)
    if (what !== 'include') return line
    const [file = '', heading] = target.split('#')
    const text = read(file)
    const part = relink(heading === undefined ? text.replace(/^# .*\n/, '') : section(text, heading), file)
    more.push(...part.files)
    return part.markdown
  })
  return { markdown: expanded, files: more }
}

function chart(name: string, page: string): string {
  const draw = charts[name]
  if (!draw) throw new Error(`${page}: there is no chart ${name}; there are ${Object.keys(charts).join(', ')}`)
  return draw()
}
