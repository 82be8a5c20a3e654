import type { Adapter, Backend } from '@locks/core/backend'
import { backendOn } from './backend.ts'
import { settingsFromOptions, settingsFromUrl, type RedisOptions } from './options.ts'

export { RedisGuard, type ScriptInput } from './guard.ts'
export type { NatMap, RedisClient, RedisOptions } from './options.ts'

/** A backend on a Redis server, on one behind Sentinel, or on a Redis Cluster. */
export function redis(options: RedisOptions): Backend {
  return backendOn(settingsFromOptions(options))
}

/**
 * `redis://user:password@host:6379/0`, `rediss://…` over TLS, `redis+sentinel://host1,host2/master/0`,
 * `redis+cluster://host1,host2`; options in the query string.
 */
export const adapter: Adapter = {
  schemes: ['redis', 'rediss', 'redis+sentinel', 'redis+cluster'],
  fromUrl: (url) => backendOn(settingsFromUrl(url)),
}
