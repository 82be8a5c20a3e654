import { existsSync, globSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../../../', import.meta.url))
export const docs = join(root, 'apps/docs')
/** Where the pages of the site are put together; VitePress reads nothing else. */
export const site = join(docs, '.site')
export const dist = join(docs, 'dist')

export const read = (file: string): string => readFileSync(join(root, file), 'utf8')
export const isFile = (file: string): boolean => existsSync(join(root, file)) && statSync(join(root, file)).isFile()

interface Manifest {
  readonly name: string
  readonly private?: boolean
}

const manifest = (folder: string) => JSON.parse(read(`${folder}/package.json`)) as Manifest

/** The folders of what is published. */
export const published: readonly string[] = globSync('packages/*/package.json', { cwd: root })
  .map((file) => dirname(file))
  .filter((folder) => !manifest(folder).private)
  .toSorted()

/** Every document of the repository that is a page of the site: its file, and its page. */
export const pages: ReadonlyMap<string, string> = new Map([
  ...found('apps/docs/pages/**/*.md').map((file) => [file, posix.relative('apps/docs/pages', file)] as const),
  ['README.md', 'overview.md'],
  ['CONTRIBUTING.md', 'contributing.md'],
  ...found('SECURITY.md').map((file) => [file, 'security.md'] as const),
  ...published.map((folder) => [`${folder}/README.md`, `${folder}.md`] as const),
  ...found('apps/{bench,chaos,demo}/README.md').map((file) => [file, `${dirname(file)}.md`] as const),
  ...found('examples/*/README.md').map((file) => [file, `${dirname(file)}.md`] as const),
  ...found('docs/*.md').map((file) => [file, `reports/${posix.basename(file)}`] as const),
  ...found('docs/decisions/*.md').map(
    (file) => [file, `decisions/${posix.basename(file).replace('README', 'index')}`] as const,
  ),
])

/** What is imported, by its page in the reference: `@locks/core/quorum`. */
export const moduleOf = (page: string): string => `@locks/${page.replace('-', '/')}`

/** Files that the site has as they are, since nobody reads their source: a report with its charts, a dashboard. */
export const isServed = (file: string): boolean => /\.(html|json)$/.test(file)
export const servedAt = (file: string): string => `files/${file}`

function found(pattern: string): string[] {
  return globSync(pattern, { cwd: root }).toSorted()
}

/** The first heading of a document, without its marks. */
export function titleOf(markdown: string): string {
  return (/^# (.+)$/m.exec(markdown)?.[1] ?? '').replaceAll('`', '')
}
