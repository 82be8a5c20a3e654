// node scripts/run.mjs COMMAND ARGS...: runs a command with the workspace's own Node.js and tools, after installing
// the workspace where that is needed. It has no dependency: any supported or older Node.js with npm can start it.
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { endAs, run } from './spawn.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const modules = join(root, 'node_modules')
const read = (/** @type {string} */ name) => readFileSync(join(root, name), 'utf8')

/** Installs the workspace unless that was done for this lockfile, and tells how that ended. */
async function install() {
  const stamp = join(modules, '.locks-installed')
  const wanted = createHash('sha256')
    .update([process.platform, process.arch, read('pnpm-workspace.yaml'), read('pnpm-lock.yaml')].join('\0'))
    .digest('hex')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return { code: 0, signal: null }
  rmSync(stamp, { force: true })
  const { packageManager } = JSON.parse(read('package.json'))
  const end = await run('npx', ['-y', packageManager, 'install', '--frozen-lockfile'], {
    cwd: root,
    stdio: ['ignore', 2, 2], // standard output is the command's
  })
  if (end.code === 0) writeFileSync(stamp, wanted)
  return end
}

const [command, ...args] = process.argv.slice(2)
if (!command) throw new Error('Usage: node scripts/run.mjs COMMAND ARGS...')

const installed = await install()
if (installed.code === 0) {
  const PATH = [join(modules, 'node', 'bin'), join(modules, '.bin'), process.env.PATH].join(delimiter)
  endAs(await run(command, args, { cwd: root, env: { ...process.env, PATH } }))
} else {
  endAs(installed)
}
