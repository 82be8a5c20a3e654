import { openLocks, type Adapter, type LockManager } from '@locks/core'

/** How a client reaches its store, as it can be told to another process. */
export interface Way {
  readonly url: string
  /** Where the servers are that others name, for Redis. */
  readonly natMap?: Readonly<Record<string, { readonly host: string; readonly port: number }>> | undefined
}

export interface Terms {
  readonly ttl: number
  readonly namespace: string
  readonly owner: string
  readonly connectTimeout: number
}

/** In this process, some stores are known by an adapter that no package has. */
export async function open({ url, natMap }: Way, terms: Terms, own: readonly Adapter[] = []): Promise<LockManager> {
  const adapters = natMap ? [...own, await redisBehind(natMap)] : own
  return openLocks(url, { ...terms, adapters })
}

async function redisBehind(natMap: NonNullable<Way['natMap']>): Promise<Adapter> {
  const { adapter, redis } = await import('@locks/redis')
  return { schemes: adapter.schemes, fromUrl: (url) => redis({ url, natMap }) }
}
