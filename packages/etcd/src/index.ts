import type { Adapter, Backend } from '@locks/core/backend'
import { backendOn } from './backend.ts'
import { settingsFromOptions, settingsFromUrl, type EtcdOptions } from './options.ts'

export { EtcdGuard } from './guard.ts'
export type { EtcdOptions } from './options.ts'

/** A backend on an etcd cluster of one or more members. */
export function etcd(options: EtcdOptions): Backend {
  return backendOn(settingsFromOptions(options))
}

/** `etcd://user:password@host1:2379,host2,host3`, `etcds://…` over TLS; options in the query string. */
export const adapter: Adapter = {
  schemes: ['etcd', 'etcds'],
  fromUrl: (url) => backendOn(settingsFromUrl(url)),
}
