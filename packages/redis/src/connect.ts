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
 * A client of the adapter's own, not connected yet. It queues nothing and repeats nothing: core does, and knows for how
 * long. A server of a cluster that says nothing for `patience` milliseconds is connected to anew.
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
    const cluster = new Cluster([...hosts], {
      lazyConnect: true,
      redisOptions: { ...connection, socketTimeout: patience },
      clusterRetryStrategy: retryDelay,
      // Or what was unanswered when a connection closed is sent again, maybe after its own removal.
      retryDelayOnFailover: 0,
      slotsRefreshTimeout: patience,
      ...(natMap && { natMap }),
    })
    // Which the driver would do before it sends again.
    cluster.on('-node', () => cluster.status === 'ready' && cluster.refreshSlotsCache())
    return cluster
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

/**
 * Ends a client's connections. The driver listens for one error of a socket only, and TLS that is broken off may tell of
 * a second, which would be nobody's.
 */
export function hangUp(client: RedisClient): void {
  for (const each of client.isCluster ? (client as Cluster).nodes('all') : [client as Redis]) {
    ;(each as { stream?: Redis['stream'] }).stream?.on('error', () => {})
  }
  client.disconnect()
}
