import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Backend } from './contract.ts'
import { invalid, shown, unsupported } from './errors.ts'
import { LockManager, type ManagerOptions } from './manager.ts'
import { checkNode } from './node-version.ts'
import { splitUrl } from './urls.ts'

/** What an adapter package exports as `adapter`. */
export interface Adapter {
  /** The URL schemes that it serves, without the colon. */
  readonly schemes: readonly string[]
  /** A backend for a URL of one of its schemes; rejects an unknown option by naming the known ones. */
  fromUrl(url: string): Backend
}

export interface OpenOptions extends ManagerOptions {
  /** Adapters to choose from before any package is looked up: for bundlers, and for backends of one's own. */
  readonly adapters?: readonly Adapter[] | undefined
}

const packages: Readonly<Record<string, string>> = {
  redis: '@locks/redis',
  rediss: '@locks/redis',
  'redis+sentinel': '@locks/redis',
  'redis+cluster': '@locks/redis',
  zookeeper: '@locks/zookeeper',
  etcd: '@locks/etcd',
  etcds: '@locks/etcd',
  postgres: '@locks/postgres',
  postgresql: '@locks/postgres',
  sqlite: '@locks/sqlite',
}

/** What is installed beside a package, and with some package managers has to be asked for. */
const drivers: Readonly<Record<string, string>> = {
  '@locks/redis': 'ioredis@6',
  '@locks/zookeeper': 'node-zookeeper-client@1',
  '@locks/etcd': 'etcd3@1',
  '@locks/postgres': 'pg@8',
}

/**
 * A connected lock manager on the backend that a URL names: `memory:`, `quorum:` of other URLs, or the adapter package of
 * the scheme, found from the application. Rejects within `connectTimeout` when the store cannot be reached, and at once
 * when the package is missing, the URL or an option is wrong, or the backend promises less than `require` asks.
 */
export async function openLocks(url: string, options: OpenOptions = {}): Promise<LockManager> {
  checkNode()
  const { adapters, ...rest } = checkedOptions(options)
  const manager = new LockManager(await backendOf(url, adapters), rest)
  try {
    await manager.connect()
  } catch (error) {
    await manager.close()
    throw error
  }
  return manager
}

async function backendOf(url: string, adapters: readonly Adapter[]): Promise<Backend> {
  const { scheme } = splitUrl(url)
  const given = adapters.find(({ schemes }) => schemes.includes(scheme))
  if (given) return given.fromUrl(url)
  if (scheme !== 'quorum') return (await findAdapter(scheme, adapters)).fromUrl(url)
  const [{ quorum }, { nodeUrls }] = await Promise.all([import('./quorum/index.ts'), import('./quorum/url.ts')])
  return quorum(await Promise.all(nodeUrls(url).map((node) => backendOf(node, adapters))))
}

function checkedOptions(options: OpenOptions): ManagerOptions & { adapters: readonly Adapter[] } {
  if (typeof options !== 'object' || options === null) throw invalid(`options must be an object; got ${shown(options)}`)
  const { adapters = [], ...rest } = options
  if (Array.isArray(adapters) && adapters.every(isAdapter)) return { ...rest, adapters }
  throw invalid("adapters must be a list of adapters: the `adapter` that each adapter's package exports")
}

function isAdapter(value: unknown): value is Adapter {
  return typeof value === 'object' && value !== null && 'schemes' in value && 'fromUrl' in value
}

async function findAdapter(scheme: string, given: readonly Adapter[]): Promise<Adapter> {
  if (scheme === 'memory') return (await import('./memory/index.ts')).adapter
  const name = Object.hasOwn(packages, scheme) ? packages[scheme] : undefined
  if (!name) {
    const known = ['memory', 'quorum', ...Object.keys(packages), ...given.flatMap(({ schemes }) => schemes)]
    throw invalid(`no backend for ${shown(`${scheme}:`)}; known are ${known.map((each) => `${each}:`).join(' ')}`)
  }
  const { adapter } = await load(name, scheme)
  if (isAdapter(adapter)) return adapter
  throw invalid(`the installed ${name} exports no adapter; install one that fits this version of @locks/core`)
}

async function load(name: string, scheme: string): Promise<{ readonly adapter?: unknown }> {
  const path = locate(name)
  try {
    if (path !== undefined) return (await import(pathToFileURL(path).href)) as { readonly adapter?: unknown }
  } catch (error) {
    // It is there, and its driver is not.
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error
  }
  const missing = [name, drivers[name]].filter((each) => each !== undefined).join(' ')
  throw unsupported(`${shown(`${scheme}:`)} needs packages that are not installed: npm install ${missing}`)
}

/** Core cannot see its siblings under a strict node_modules layout; the application can. */
function locate(name: string): string | undefined {
  const bases = [process.argv[1], join(process.cwd(), 'package.json'), import.meta.filename]
  for (const base of bases) {
    if (base === undefined) continue
    try {
      return createRequire(base).resolve(name)
    } catch {
      // Not from there.
    }
  }
  return undefined
}
