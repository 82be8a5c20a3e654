import type { Adapter, Backend } from '@locks/core/backend'
import { backendOn } from './backend.ts'
import { settingsFromOptions, settingsFromUrl, type ZookeeperOptions } from './options.ts'

export type { ZookeeperOptions } from './options.ts'

/** A backend on a ZooKeeper server or ensemble. */
export function zookeeper(options: ZookeeperOptions): Backend {
  return backendOn(settingsFromOptions(options))
}

/** `zookeeper://user:password@host1:2181,host2,host3/root`; options in the query string. */
export const adapter: Adapter = {
  schemes: ['zookeeper'],
  fromUrl: (url) => backendOn(settingsFromUrl(url)),
}
