import { globSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { defineConfig, type DefaultTheme, type MarkdownEnv, type MarkdownRenderer } from 'vitepress'
import { moduleOf, published, site, titleOf } from '../src/files.ts'
import { slugify } from '../src/markdown.ts'

type Item = DefaultTheme.SidebarItem

/** The pages of a folder, by their titles. */
function listed(pattern: string): Item[] {
  return globSync(pattern, { cwd: site })
    .toSorted()
    .map((page) => ({ text: titleOf(readFileSync(join(site, page), 'utf8')), link: `/${page}` }))
}

/** What the packages export: every module, and of the one that is open everything in it. */
function reference(): Record<string, Item[]> {
  const modules = globSync('api/*/index.md', { cwd: site })
    .toSorted()
    .map((page) => posix.basename(posix.dirname(page)))
  const entry = (module: string, open: string) => ({
    text: moduleOf(module),
    link: `/api/${module}/`,
    ...(module === open ? { items: exported(module) } : {}),
  })
  const within = (open: string) => [{ text: 'Reference', items: modules.map((module) => entry(module, open)) }]
  return Object.fromEntries(['', ...modules].map((open) => [open === '' ? '/api/' : `/api/${open}/`, within(open)]))
}

function exported(module: string): Item[] {
  return globSync(`api/${module}/*/*.md`, { cwd: site })
    .toSorted()
    .map((page) => ({ text: posix.basename(page, '.md'), link: `/${page}` }))
}

/** The index of the search is made of a page's words: to colour its code once more would take as long as the page. */
function searched(
  source: string,
  env: MarkdownEnv & { plain?: boolean },
  md: Pick<MarkdownRenderer, 'render'>,
): string {
  if (env.relativePath.startsWith('source/')) return ''
  env.plain = true
  return md.render(source, env)
}

function plainCodeForSearch(md: MarkdownRenderer): void {
  const coloured = md.renderer.rules.fence
  md.renderer.rules.fence = (tokens, at, options, env, self) =>
    (env as { plain?: boolean }).plain || !coloured
      ? `<pre>${md.utils.escapeHtml(tokens[at]?.content ?? '')}</pre>`
      : coloured(tokens, at, options, env, self)
}

const icon =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><path fill="none" stroke="#0d9488" stroke-width="2" d="M5 7V5a3 3 0 0 1 6 0v2"/><rect x="3" y="7" width="10" height="7" rx="1.5" fill="#0d9488"/></svg>'

export default defineConfig({
  title: '@locks',
  description: 'Distributed locks for Node.js: one API, one contract, many stores',
  lang: 'en',
  srcDir: '.site',
  outDir: 'dist',
  // Nothing is loaded that was not asked for.
  router: { prefetchLinks: false },
  head: [['link', { rel: 'icon', href: `data:image/svg+xml,${encodeURIComponent(icon)}` }]],
  // Addresses in examples are nobody's.
  ignoreDeadLinks: 'localhostLinks',
  markdown: { anchor: { slugify }, config: plainCodeForSearch },
  themeConfig: {
    search: { provider: 'local', options: { _render: searched } },
    outline: { level: [2, 3] },
    nav: [
      { text: 'Guide', link: '/guide/start', activeMatch: '^/(guide|migrate)/' },
      { text: 'Backends', link: '/reports/backends', activeMatch: '^/(packages|reports/backends)' },
      { text: 'Reports', link: '/reports/chaos', activeMatch: '^/reports/(chaos|bench)' },
      { text: 'Reference', link: '/api/', activeMatch: '^/api/' },
    ],
    sidebar: {
      ...reference(),
      '/': [
        {
          text: 'Guide',
          items: [
            { text: 'Start', link: '/guide/start' },
            { text: 'What a lock can and cannot do', link: '/guide/what-a-lock-can-do' },
            { text: 'Choose a backend', link: '/guide/choose' },
            { text: 'Fencing', link: '/guide/fencing' },
            { text: 'A resource that is free or taken', link: '/guide/free-or-taken' },
            { text: 'Elections', link: '/guide/elections' },
            { text: 'Several names', link: '/guide/several-names' },
            { text: 'Handover within a process', link: '/guide/handover' },
            { text: 'A majority of stores', link: '/guide/quorum' },
            { text: 'Operations', link: '/guide/operations' },
            { text: 'Telemetry', link: '/guide/telemetry' },
            { text: 'The chance of success', link: '/guide/chance' },
            { text: 'Write an adapter', link: '/guide/write-an-adapter' },
          ],
        },
        {
          text: 'Migrate',
          items: [
            ...listed('migrate/!(switching-over).md'),
            { text: 'Switching over', link: '/migrate/switching-over' },
          ],
        },
        {
          text: 'Packages',
          items: published.map((folder) => ({ text: `@locks/${posix.basename(folder)}`, link: `/${folder}` })),
        },
        {
          text: 'Reports',
          items: [
            { text: 'What backends promise', link: '/reports/backends' },
            { text: 'Under fire', link: '/reports/chaos' },
            { text: 'What it costs', link: '/reports/bench' },
          ],
        },
        { text: 'Reference', link: '/api/' },
        { text: 'Decisions', collapsed: true, link: '/decisions/', items: listed('decisions/0*.md') },
        { text: 'Contribute', link: '/contributing' },
      ],
    },
    docFooter: { prev: false, next: false },
  },
})
