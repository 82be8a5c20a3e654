// npm run size: what each package adds to an application, in kB, minified and gzipped, without its dependencies. Ends with 1
// where that is more than the budget. Core is counted without the conformance suite and without the memory backend.
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, resolve, sep } from 'node:path'
import process from 'node:process'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { run } from './spawn.mjs'

/** By the file that an import leads to: what it was when this was written, rounded up. Core was meant to have 10. */
const budgets: Readonly<Record<string, number>> = {
  'cli/dist/main.js': 14,
  'core/dist/backend.js': 5.5,
  'core/dist/index.js': 15,
  'core/dist/memory/index.js': 4,
  'core/dist/quorum/index.js': 14,
  'etcd/dist/index.js': 13,
  'otel/dist/index.js': 4,
  'postgres/dist/index.js': 19,
  'redis/dist/index.js': 17,
  'sqlite/dist/index.js': 10,
  'zookeeper/dist/index.js': 12,
}

/** Loaded only when a URL asks for it, and counted by itself. */
const apart = ['core/dist/memory/index.js', 'core/dist/quorum/index.js']

interface Manifest {
  private?: boolean
  bin?: Record<string, string>
  publishConfig?: { exports?: Record<string, string | { default?: string }> }
}

const packages = resolve('packages')

/** What can be imported, and the commands. */
function entriesOf(manifest: string): string[] {
  const { private: isPrivate, bin = {}, publishConfig } = JSON.parse(readFileSync(manifest, 'utf8')) as Manifest
  if (isPrivate) return []
  const exported = Object.values(publishConfig?.exports ?? {}).map((each) =>
    typeof each === 'string' ? each : each.default,
  )
  return [...exported, ...Object.values(bin)]
    .filter((file) => file?.endsWith('.js') && !file.includes('conformance'))
    .map((file) => join(dirname(manifest), file ?? '').slice('packages/'.length))
}

async function kilobytes(entry: string): Promise<number> {
  const others = apart.filter((each) => each !== entry).map((each) => join(packages, ...each.split('/')))
  const { outputFiles } = await build({
    entryPoints: [join(packages, ...entry.split('/'))],
    bundle: true,
    minify: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    write: false,
    logLevel: 'error',
    plugins: [
      {
        name: 'apart',
        setup: (bundler) => {
          bundler.onResolve({ filter: /^\./ }, ({ path, resolveDir }) =>
            others.includes(resolve(resolveDir, path)) ? { path, external: true } : undefined,
          )
        },
      },
    ],
  })
  const code = outputFiles.map(({ contents }) => contents)
  return gzipSync(Buffer.concat(code), { level: 9 }).length / 1_000
}

const { code } = await run('turbo', ['run', 'build', '--output-logs=errors-only'], { stdio: ['ignore', 2, 2] })
if (code !== 0) process.exit(1)
let over = 0
for (const entry of globSync('packages/*/package.json').toSorted().flatMap(entriesOf)) {
  const size = await kilobytes(entry)
  const budget = budgets[entry]
  const verdict = budget === undefined ? 'no budget' : size > budget ? `more than ${budget}` : `of ${budget}`
  if (budget === undefined || size > budget) over++
  console.log(`${size.toFixed(1).padStart(6)} kB  ${verdict.padEnd(13)}  ${entry.split(sep).join('/')}`)
}
process.exitCode = over > 0 ? 1 : 0
