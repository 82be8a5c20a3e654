import { etcd, etcd3 } from './etcd.ts'
import { inMemory } from './memory.ts'
import { link, postgres, standby } from './postgres.ts'
import { quorum } from './quorum.ts'
import { cluster, redis, sentinel } from './redis.ts'
import { sqlite } from './sqlite.ts'
import type { Store } from './store.ts'
import { zookeeper, zookeeper3 } from './zookeeper.ts'

/** Every store in every form. */
export const stores: readonly Store[] = [
  inMemory(),
  sqlite,
  redis,
  sentinel,
  cluster,
  quorum,
  zookeeper,
  zookeeper3,
  etcd,
  etcd3,
  postgres,
  standby,
  link,
]

/** The backend whose servers it runs. */
export const backendOf = ({ name, backend = name.split('-')[0] ?? name }: Store): string => backend

/** Those of a backend in all its forms (`redis`), or of one form (`redis-cluster`). */
export function storesOf(backend: string): readonly Store[] {
  const exact = stores.filter(({ name }) => name === backend)
  return exact.length > 0 ? exact : stores.filter(({ name }) => name.startsWith(`${backend}-`))
}
