import type { Clock } from '@locks/core/backend'
import { Cluster, Redis } from 'ioredis'
import { codeOf } from './failures.ts'
import type { Location, RedisClient } from './options.ts'

/** Milliseconds that an orderly end of a connection may take: a server that has stopped takes no part in it. */
const endWithin = 100
const firstDelay = 20
const longestDelay = 1_000

const retryDelay = (attempt: number): number =>
  Math.min(longestDelay, firstDelay * 2 ** (attempt - 1)) * (0.5 + Math.random() / 2)

/**
 * A client of the adapter's own, not connected yet. It queues nothing and, but in a cluster, repeats nothing: core does, and
 * knows for how long. A server of a cluster that says nothing for `patience` milliseconds is connected to anew.
 */
export function clientOf(location: Location, patience: number): RedisClient {
  const { form, hosts, username, password, db, master, tls, natMap, sentinelUsername, sentinelPassword } = location
  const connection = {
    lazyConnect: true,
    connectTimeout: patience,
    disconnectTimeout: endWithin,
    maxRetriesPerRequest: 0,
    // Or `CLIENT SETINFO` on every connection, which servers before 7.2 do not know.
    disableClientInfo: true,
    connectionName: '@locks/redis',
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(tls && { tls: {} }),
  }
  if (form === 'cluster') {
    return new Cluster([...hosts], {
      lazyConnect: true,
      redisOptions: { ...connection, socketTimeout: patience },
      clusterRetryStrategy: retryDelay,
      slotsRefreshTimeout: patience,
      ...(natMap && { natMap }),
    })
  }
  const single = {
    ...connection,
    db,
    enableOfflineQueue: false,
    retryStrategy: retryDelay,
    // A master that has been demoted: the next connection finds its successor.
    reconnectOnError: (error: Error) => codeOf(error) === 'READONLY',
  }
  if (form === 'standalone') return new Redis({ ...single, ...hosts[0] })
  return new Redis({
    ...single,
    sentinels: [...hosts],
    name: master ?? '',
    sentinelCommandTimeout: patience,
    sentinelRetryStrategy: retryDelay,
    enableTLSForSentinelMode: tls,
    ...(tls && { sentinelTLS: {} }),
    ...(sentinelUsername !== undefined && { sentinelUsername }),
    ...(sentinelPassword !== undefined && { sentinelPassword }),
    failoverDetector: true,
    ...(natMap && { natMap }),
  })
}

const hungUp = new WeakSet<RedisClient>()

/**
 * Has a client that was connected once connect again whenever the driver has given up, which it never should. It does where
 * its failover detector hears of the failover while a connection is being made: the attempt ends, and is not repeated
 * (ioredis 6.0.0, `Redis#connect`).
 */
export function keepConnected(client: Redis, clock: Clock): void {
  client.on('end', () => {
    clock.after(retryDelay(1), () => {
      // What goes wrong now is told by the next end.
      if (client.status === 'end' && !hungUp.has(client)) client.connect().catch(() => {})
    })
  })
}

/**
 * Ends a client's connections. The driver listens for one error of a socket only, and TLS that is broken off may tell of
 * a second, which would be nobody's.
 */
export function hangUp(client: RedisClient): void {
  hungUp.add(client)
  for (const each of client.isCluster ? (client as Cluster).nodes('all') : [client as Redis]) {
    socketOf(each)?.on('error', () => {})
  }
  client.disconnect()
}

/** The connection that a client has at the moment, if any. */
export const socketOf = (client: Redis): Redis['stream'] | undefined => (client as { stream?: Redis['stream'] }).stream
