/**
 * `pnpm docs:check`: the tables are those of the code, every block of code holds, the site is built, no link leads nowhere, and
 * the pages open in a real browser without a complaint. Pictures of some are left in .reports/docs.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { globSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { look } from './browser.ts'
import { prepareBrowser } from './chromium.ts'
import { dist, root } from './files.ts'
import { deadLinks } from './links.ts'
import { serve } from './serve.ts'

const pictured = [
  '/',
  '/guide/start.html',
  '/guide/choose.html',
  '/guide/telemetry.html',
  '/guide/chance.html',
  '/packages/redis.html',
  '/reports/chaos.html',
  '/reports/bench.html',
  '/reports/backends.html',
  '/api/core/classes/LockManager.html',
]

/** Pages of the reference that are all made alike; its indexes and classes stand for them. */
const alike = /^\/api\/.+\/(interfaces|type-aliases|variables|functions)\//

const missing = prepareBrowser()
if (missing) {
  console.error(missing)
  process.exit(1)
}

const failed: string[] = []
/** In a process of its own; what it says comes out when it has ended, in one piece. */
async function step(program: string): Promise<void> {
  const [file = '', ...args] = program.split(' ')
  const flags = ['--conditions=@locks/source', '--disable-warning=ExperimentalWarning']
  const child = spawn(process.execPath, [...flags, join(import.meta.dirname, file), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const said: Buffer[] = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part: Buffer) => said.push(part))
  const [status] = (await once(child, 'close')) as [number | null]
  process.stdout.write(Buffer.concat(said))
  if (status !== 0) failed.push(file)
}

await Promise.all([step('backends/publish.ts --check'), step('snippets/check.ts'), step('build.ts')])
if (failed.includes('build.ts')) {
  console.log(`docs: failed: ${failed.join(', ')}`)
  process.exit(1)
}

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
