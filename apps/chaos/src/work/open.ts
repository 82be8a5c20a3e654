import { openLocks, type Adapter, type LockManager } from '@locks/core'

/** How a client reaches its store, as it can be told to another process. */
export interface Way {
  readonly url: string
  /** Where the servers are that others name, for Redis. */
  readonly natMap?: Readonly<Record<string, { readonly host: string; readonly port: number }>> | undefined
  /** A Unix socket, for Postgres. */
  readonly socket?: Socket
  /** A module whose `adapter` knows the URL, where that is not one of ours. */
  readonly module?: string
}

interface Socket {
  readonly folder: string
  readonly port: number
}

export interface Terms {
  readonly ttl: number
  readonly namespace: string
  readonly owner: string
  readonly connectTimeout: number
  /** `'local'`: callers of one client stand in line behind one of them. */
  readonly handover?: 'store' | 'local'
}

/** In this process, some stores are known by an adapter that no package has. */
export async function open(
  { url, natMap, socket, module }: Way,
  terms: Terms,
  own: readonly Adapter[] = [],
): Promise<LockManager> {
  const adapters = [...own]
  if (natMap) adapters.push(await redisBehind(natMap))
  if (socket) adapters.push(await postgresBy(socket))
  if (module) adapters.push(((await import(module)) as { adapter: Adapter }).adapter)
  return openLocks(url, { ...terms, adapters })
}

async function redisBehind(natMap: NonNullable<Way['natMap']>): Promise<Adapter> {
  const { adapter, redis } = await import('@locks/redis')
  return { schemes: adapter.schemes, fromUrl: (url) => redis({ url, natMap }) }
}

async function postgresBy({ folder, port }: Socket): Promise<Adapter> {
  const { adapter, postgres } = await import('@locks/postgres')
  return { schemes: adapter.schemes, fromUrl: () => postgres({ config: { host: folder, port, user: 'postgres' } }) }
}
