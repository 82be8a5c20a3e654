import type { Adapter, Capabilities } from '@locks/core/backend'
import { memory } from '@locks/core/memory'
import { quorum } from '@locks/core/quorum'
import { adapter as etcd } from '@locks/etcd'
import { adapter as postgres } from '@locks/postgres'
import { adapter as redis } from '@locks/redis'
import { adapter as sqlite } from '@locks/sqlite'
import { adapter as zookeeper } from '@locks/zookeeper'

/** A backend in one of its forms. */
export interface Form {
  readonly label: string
  /** Its page, from the tables' own. */
  readonly page: string
  readonly capabilities: Capabilities
  /** What it is called in the reports of the contract's tests, and in those of the campaigns. */
  readonly reports: readonly string[]
}

const form = (label: string, page: string, adapter: Adapter, url: string, reports: readonly string[]): Form => ({
  label,
  page: `../packages/${page}/README.md`,
  capabilities: adapter.fromUrl(url).capabilities,
  reports,
})

const node = () => redis.fromUrl('redis://localhost')

export const forms: readonly Form[] = [
  {
    label: 'memory',
    page: '../packages/core/README.md',
    capabilities: memory().capabilities,
    reports: ['memory'],
  },
  form('SQLite', 'sqlite', sqlite, 'sqlite:locks.db', ['sqlite']),
  form('Redis', 'redis', redis, 'redis://localhost', ['redis']),
  form('Redis Sentinel', 'redis', redis, 'redis+sentinel://localhost/main', ['redis-sentinel']),
  form('Redis Cluster', 'redis', redis, 'redis+cluster://localhost', ['redis-cluster']),
  {
    label: 'quorum of three Redis',
    page: '../packages/core/README.md#quorum',
    capabilities: quorum([node(), node(), node()]).capabilities,
    reports: ['quorum'],
  },
  form('Postgres', 'postgres', postgres, 'postgres://localhost/app', ['postgres', 'postgres-link', 'postgres-standby']),
  form('Postgres without the schema', 'postgres', postgres, 'postgres://localhost/app?schema=none', [
    'postgres-reduced',
  ]),
  form('etcd', 'etcd', etcd, 'etcd://localhost', ['etcd', 'etcd-3']),
  form('ZooKeeper', 'zookeeper', zookeeper, 'zookeeper://localhost', ['zookeeper', 'zookeeper-3']),
]
