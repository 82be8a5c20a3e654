import {
  startCluster,
  startEnsemble,
  startEtcd,
  startEtcdCluster,
  startPostgres,
  startRedis,
  startSentinel,
  startZookeeper,
} from '@locks/testkit'
import { sqliteIn } from './show.ts'

/** A store of one's own to play on: what to start, and what it is reached by. */
export interface Deployment {
  readonly name: string
  /** `folder` is there, for what needs no server. */
  start(folder: string): Promise<Started>
}

interface Started {
  readonly url: string
  end(): Promise<void>
}

/** Every backend that serves several processes, in all its forms. Fresh servers have no locks to remember. */
export const deployments: readonly Deployment[] = [
  { name: 'sqlite', start: (folder) => Promise.resolve({ url: sqliteIn(folder), end: () => Promise.resolve() }) },
  {
    name: 'redis',
    async start() {
      const server = await startRedis({ appendonly: true })
      return { url: server.url, end: () => server.end() }
    },
  },
  {
    name: 'redis-sentinel',
    async start() {
      const sentinel = await startSentinel()
      const url = `redis+sentinel://${hostsOf(sentinel.sentinels)}/${sentinel.name}?restartGrace=false`
      return { url, end: () => sentinel.end() }
    },
  },
  {
    name: 'redis-cluster',
    async start() {
      const cluster = await startCluster()
      return { url: `redis+cluster://${hostsOf(cluster.nodes)}?restartGrace=false`, end: () => cluster.end() }
    },
  },
  {
    name: 'postgres',
    async start() {
      const server = await startPostgres()
      return { url: server.url, end: () => server.end() }
    },
  },
  {
    name: 'etcd',
    async start() {
      const server = await startEtcd()
      return { url: server.url, end: () => server.end() }
    },
  },
  {
    name: 'etcd-3',
    async start() {
      const cluster = await startEtcdCluster()
      return { url: `etcd://${hostsOf(cluster.members)}`, end: () => cluster.end() }
    },
  },
  {
    name: 'zookeeper',
    async start() {
      const server = await startZookeeper()
      return { url: `zookeeper://127.0.0.1:${server.port}`, end: () => server.end() }
    },
  },
  {
    name: 'zookeeper-3',
    async start() {
      const ensemble = await startEnsemble()
      return { url: `zookeeper://${hostsOf(ensemble.servers)}`, end: () => ensemble.end() }
    },
  },
]

const hostsOf = (servers: readonly { readonly port: number }[]) =>
  servers.map(({ port }) => `127.0.0.1:${port}`).join(',')
