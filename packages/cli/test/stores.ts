import { appendFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startEtcd, startPostgres, startRedis, startZookeeper, type Proxy } from '@locks/testkit'

/** A store that is a server, as the tests of `locks` meet it. */
export interface Store {
  readonly name: string
  readonly framing: Parameters<Proxy['line']>[0]['framing']
  /** Whether it writes its own time beside a grant. */
  readonly clock: boolean
  /** Whether `locks break` has a way there. */
  readonly breaks: boolean
  start(): Promise<Started>
}

export interface Started {
  readonly server: Server
  /** Its URL, by another port perhaps. */
  url(port?: number): string
  /** What a look at the store before it is used has to find from then on. */
  spoil(): Promise<{ readonly code: string; readonly message: RegExp }>
}

interface Server {
  readonly port: number
  stop(): Promise<void>
  continue(): Promise<void>
  end(): Promise<void>
}

const redis: Store = {
  name: 'redis',
  framing: 'resp',
  clock: true,
  breaks: true,
  async start() {
    const server = await startRedis({ appendonly: true })
    return {
      server,
      url: (port = server.port) => `redis://127.0.0.1:${port}`,
      async spoil() {
        await server.cli('CONFIG', 'SET', 'appendonly', 'no')
        return { code: 'REDIS_NOT_PERSISTENT', message: /appendonly yes/ }
      },
    }
  },
}

const etcd: Store = {
  name: 'etcd',
  framing: 'grpc',
  clock: false,
  breaks: true,
  async start() {
    const server = await startEtcd({ flags: ['--quota-backend-bytes=262144'] })
    return {
      server,
      url: (port = server.port) => `etcd://127.0.0.1:${port}`,
      async spoil() {
        const puts = Array.from({ length: 16 }, (_, at) => server.ctl('put', `fill ${at}`, 'x'.repeat(20_000)))
        await Promise.allSettled(puts)
        return { code: 'ETCD_NO_SPACE', message: /alarm NOSPACE/ }
      },
    }
  },
}

const zookeeper: Store = {
  name: 'zookeeper',
  framing: 'zookeeper',
  clock: true,
  breaks: true,
  async start() {
    const server = await startZookeeper()
    return {
      server,
      url: (port = server.port) => `zookeeper://127.0.0.1:${port}/locks`,
      async spoil() {
        await appendFile(join(server.folder, 'zoo.cfg'), 'maxSessionTimeout=8000\n')
        await server.restart()
        return { code: 'ZOOKEEPER_TTL', message: /no ttl over 8000 ms/ }
      },
    }
  },
}

const postgres: Store = {
  name: 'postgres',
  framing: 'postgres',
  clock: true,
  breaks: false,
  async start() {
    const server = await startPostgres()
    return {
      server,
      url: (port = server.port) => `postgres://postgres@127.0.0.1:${port}/postgres`,
      async spoil() {
        await server.psql('ALTER ROLE postgres SET default_transaction_read_only = on')
        return { code: 'UNAVAILABLE', message: /takes no writes from this role/ }
      },
    }
  },
}

export const stores: readonly Store[] = [redis, etcd, zookeeper, postgres]
