import { startEtcd, startPostgres, startRedis, startZookeeper } from '@locks/testkit'

interface Store {
  readonly url: string
  end(): Promise<void>
}

/** How a package is tried out. */
export interface Subject {
  /** What is installed beside it. */
  readonly with?: readonly string[]
  /** The client of its store, or what else it is for, at the lowest and the highest version of the range that the package names. */
  readonly driver?: string
  /** What is installed beside the driver, where that depends on its version. */
  readonly withDriver?: Readonly<Record<'lowest' | 'highest', readonly string[]>>
  /** Packages with the types of its driver. */
  readonly types?: readonly string[]
  /** Programs for `import` (`.mts`) and `require` (`.cts`). */
  readonly programs: readonly string[]
  /** The store; none for what needs no server. */
  readonly start?: () => Promise<Store>
  /** The URL, where it does not come from a server. */
  readonly url?: (room: string) => string
}

const core = { with: ['@locks/core'] }
const adapter = { ...core, programs: ['adapter.mts', 'adapter.cts'] }

const sdk = (version: string) => [`@opentelemetry/sdk-metrics@${version}`, `@opentelemetry/sdk-trace@${version}`]

/** By name, for every public package. */
export const subjects: Readonly<Record<string, Subject>> = {
  '@locks/core': { programs: ['core.mts', 'core.cts'] },
  '@locks/sqlite': { ...adapter, url: (room) => `sqlite:${room}/locks.db` },
  '@locks/redis': { ...adapter, driver: 'ioredis', start: startRedis },
  '@locks/postgres': { ...adapter, driver: 'pg', types: ['@types/pg'], start: startPostgres },
  '@locks/etcd': { ...adapter, driver: 'etcd3', start: startEtcd },
  '@locks/zookeeper': {
    ...adapter,
    driver: 'node-zookeeper-client',
    start: async () => {
      const server = await startZookeeper()
      return { url: `zookeeper://127.0.0.1:${server.port}`, end: () => server.end() }
    },
  },
  '@locks/otel': {
    ...core,
    programs: ['otel.mts', 'otel.cts'],
    driver: '@opentelemetry/api',
    // The SDK's packages take one minor version of the API only.
    withDriver: { lowest: sdk('2.12.1'), highest: sdk('3.1.0') },
  },
  '@locks/cli': { programs: ['command.mts'], url: (room) => `sqlite:${room}/locks.db` },
}
