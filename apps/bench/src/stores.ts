import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  startEtcd,
  startPostgres,
  startProxy,
  startRedis,
  startZookeeper,
  type Proxy,
  type ProxyLine,
} from '@locks/testkit'
import type { BackendName } from './names.ts'
import { connections } from './subjects/postgres.ts'

/** One backend's store, started for the benchmark. */
export interface Store {
  readonly url: string
  /** A way to it through a proxy, that counts and can be slow; undefined where there is no network. */
  line?(): Promise<{ readonly url: string; readonly line: ProxyLine }>
  /** What its clients occupy at the server: connections, sessions, leases. */
  occupied?(): Promise<Readonly<Record<string, number>>>
  /** Of the server. */
  readonly version?: string
  end(): Promise<void>
}

interface Server {
  readonly port: number
  end(): Promise<void>
}

export function startStore(backend: BackendName): Promise<Store> {
  return stores[backend]()
}

const stores: Readonly<Record<BackendName, () => Promise<Store>>> = {
  memory: () => Promise.resolve({ url: 'memory:', end: () => Promise.resolve() }),
  async sqlite() {
    const folder = await mkdtemp(join(tmpdir(), 'locks-bench-'))
    return { url: `sqlite:${join(folder, 'locks.db')}`, end: () => rm(folder, { recursive: true, force: true }) }
  },
  async redis() {
    const server = await startRedis()
    const info = await server.cli('INFO', 'server')
    return {
      ...behindProxy(server, 'resp', (port) => `redis://127.0.0.1:${port}`),
      occupied: async () => ({ connections: (await server.cli('CLIENT', 'LIST')).split('\n').length - 1 }),
      version: /redis_version:(\S+)/.exec(info)?.[1] ?? '',
    }
  },
  async etcd() {
    const server = await startEtcd()
    return {
      ...behindProxy(server, 'grpc', (port) => `etcd://127.0.0.1:${port}`),
      occupied: async () => ({ leases: (await server.leases()).length }),
      version:
        /etcd Version: (\S+)/i.exec(await server.ctl('version'))?.[1] ??
        /version: (\S+)/.exec(await server.ctl('version'))?.[1] ??
        '',
    }
  },
  async zookeeper() {
    const server = await startZookeeper()
    return {
      ...behindProxy(server, 'zookeeper', (port) => `zookeeper://127.0.0.1:${port}/locks`),
      occupied: async () => ({ sessions: (await server.counts()).sessions }),
      version: /Zookeeper version: ([\d.]+)/.exec(await server.ask('srvr'))?.[1] ?? '',
    }
  },
  async postgres() {
    const settings = { max_connections: String(2 * connections), max_locks_per_transaction: '1024' }
    const server = await startPostgres({ settings })
    return {
      ...behindProxy(server, 'postgres', (port) => `postgres://postgres@127.0.0.1:${port}/postgres`),
      occupied: async () => ({ connections: await server.sessions() }),
      version: await server.psql('SHOW server_version'),
    }
  },
}

type Framing = Parameters<Proxy['line']>[0]['framing']

function behindProxy(server: Server, framing: Framing, urlOf: (port: number | undefined) => string): Store {
  let proxy: Promise<Proxy> | undefined
  return {
    url: urlOf(server.port),
    async line() {
      proxy ??= startProxy()
      const line = await (await proxy).line({ upstreams: [{ host: '127.0.0.1', port: server.port }], framing })
      return { url: urlOf(line.ports[0]), line }
    },
    async end() {
      await (await proxy)?.end()
      await server.end()
    },
  }
}
