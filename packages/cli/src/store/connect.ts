import { hostname } from 'node:os'
import { openLocks, type LockManager } from '@locks/core'
import { adaptersFor } from './adapters.ts'
import { locate, type Location, type LocationOptions } from './location.ts'

export interface StoreOptions extends LocationOptions {
  readonly namespace?: string | undefined
  readonly owner?: string | undefined
  readonly ttl?: number | undefined
  /** Milliseconds to reach the store. */
  readonly connectTimeout?: number | undefined
}

export const defaultOwner = (): string => `${hostname()}:${process.pid}`

/** A connected manager on the store that the options, the environment or the default name. */
export async function connect(options: StoreOptions, location = locate(options, process.env)): Promise<LockManager> {
  const { namespace, owner = defaultOwner(), ttl, connectTimeout } = options
  const adapters = await adaptersFor(location.url)
  return openLocks(location.url, { adapters, namespace, owner, ttl, connectTimeout })
}

/** Works with a manager and closes it in any case. */
export async function withStore<T>(
  options: StoreOptions,
  work: (locks: LockManager) => Promise<T>,
  location?: Location,
): Promise<T> {
  const locks = await connect(options, location)
  try {
    return await work(locks)
  } finally {
    await locks.close()
  }
}
