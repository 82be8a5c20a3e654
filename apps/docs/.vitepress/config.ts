import { globSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { defineConfig, type DefaultTheme } from 'vitepress'
import { published, site, titleOf } from '../src/files.ts'
import { slugify } from '../src/markdown.ts'

type Item = DefaultTheme.SidebarItem

/** The pages of a folder, by their titles. */
function listed(pattern: string): Item[] {
  return globSync(pattern, { cwd: site })
    .toSorted()
    .map((page) => ({ text: titleOf(readFileSync(join(site, page), 'utf8')), link: `/${page}` }))
}

/** The modules of the reference, each with what it exports. */
function reference(): Item[] {
  return globSync('api/*/index.md', { cwd: site })
    .toSorted()
    .map((page) => {
      const module = posix.basename(posix.dirname(page))
      const kinds = globSync(`api/${module}/*/`, { cwd: site }).toSorted()
      return {
        text: `@locks/${module.replace('-', '/')}`,
        link: `/${page}`,
        collapsed: true,
        items: kinds.flatMap((kind) =>
          globSync(`${kind}/*.md`, { cwd: site })
            .toSorted()
            .map((each) => ({ text: posix.basename(each, '.md'), link: `/${each}` })),
        ),
      }
    })
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
  markdown: { anchor: { slugify } },
  themeConfig: {
    search: { provider: 'local' },
    outline: { level: [2, 3] },
    nav: [
      { text: 'Guide', link: '/guide/start', activeMatch: '^/(guide|migrate)/' },
      { text: 'Backends', link: '/reports/backends', activeMatch: '^/(packages|reports/backends)' },
      { text: 'Reports', link: '/reports/chaos', activeMatch: '^/reports/(chaos|bench)' },
      { text: 'Reference', link: '/api/', activeMatch: '^/api/' },
    ],
    sidebar: [
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
          { text: 'The chance of success', link: '/guide/chance' },
          { text: 'Write an adapter', link: '/guide/write-an-adapter' },
        ],
      },
      {
        text: 'Migrate',
        items: [...listed('migrate/!(switching-over).md'), { text: 'Switching over', link: '/migrate/switching-over' }],
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
      { text: 'Reference', collapsed: true, items: reference() },
      { text: 'Decisions', collapsed: true, link: '/decisions/', items: listed('decisions/0*.md') },
      { text: 'Contribute', link: '/contributing' },
    ],
    docFooter: { prev: false, next: false },
  },
})
