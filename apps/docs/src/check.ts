/**
 * `pnpm docs:check`: the tables are those of the code, every block of code holds, the site is built, no link leads nowhere, and
 * every page opens in a real browser without a complaint. Pictures of some are left in .reports/docs.
 */
import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { look } from './browser.ts'
import { dist, root } from './files.ts'
import { deadLinks } from './links.ts'
import { serve } from './serve.ts'

const pictured = [
  '/',
  '/guide/start.html',
  '/guide/what-a-lock-can-do.html',
  '/guide/choose.html',
  '/guide/write-an-adapter.html',
  '/guide/chance.html',
  '/packages/core.html',
  '/packages/redis.html',
  '/reports/chaos.html',
  '/reports/backends.html',
  '/migrate/redlock.html',
  '/api/core/classes/LockManager.html',
]

/** Pages of the reference that are all made alike; its indexes and classes stand for them. */
const alike = /^\/api\/.+\/(interfaces|type-aliases|variables|functions)\//

const failed: string[] = []
for (const program of ['backends/publish.ts --check', 'snippets/check.ts', 'build.ts']) {
  const [file = '', ...args] = program.split(' ')
  const flags = ['--conditions=@locks/source', '--disable-warning=ExperimentalWarning']
  const { status } = spawnSync(process.execPath, [...flags, join(import.meta.dirname, file), ...args], {
    stdio: 'inherit',
  })
  if (status !== 0) failed.push(file)
}
if (failed.includes('build.ts')) process.exit(1)

const { dead, checked, pages } = deadLinks(dist)
for (const each of dead) console.error(`dead link: ${each}`)

const paths = globSync('**/*.html', { cwd: dist }).map((file) => `/${file}`.replace(/\/index\.html$/, '/'))
const { url, server } = await serve(dist)
const { problems, pictures, visits } = await look(
  url,
  paths.filter((path) => path !== '/404.html' && !alike.test(path)).toSorted(),
  pictured,
  join(root, '.reports/docs'),
)
server.close()
for (const each of problems) console.error(`browser: ${each}`)

console.log(
  `docs: ${pages} pages, ${checked} links, ${dead.length} dead; ${visits} visits, ${problems.length} complaints`,
)
console.log(`docs: ${pictures} pictures in .reports/docs`)
if (failed.length > 0) console.log(`docs: failed before that: ${failed.join(', ')}`)
process.exitCode = dead.length + problems.length + failed.length > 0 ? 1 : 0
