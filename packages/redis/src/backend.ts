import { invalid, warn, type Backend, type Capabilities, type Session, type SessionOptions } from '@locks/core/backend'
import type { Cluster, Redis } from 'ioredis'
import { clientOf, hangUp, keepConnected } from './connect.ts'
import { inspect } from './deployment.ts'
import { failureOf } from './failures.ts'
import { Keys } from './keys.ts'
import { Listener } from './listener.ts'
import { isClient, type RedisClient, type Settings } from './options.ts'
import { Server } from './server.ts'
import { RedisSession } from './session.ts'

const capabilities: Capabilities = {
  scope: 'network',
  fencing: 'durable',
  raises: true,
  order: 'fifo',
  shared: true,
  semaphore: true,
  steal: true,
  sets: 'ordered',
  elections: true,
  listing: 'complete',
  reconnects: true,
  ttl: { min: 1_000, max: 86_400_000 },
  takeover: 1_000,
}

/** After a failover tokens are minted by another machine's clock, which may be behind. */
const replicated: Capabilities = { ...capabilities, fencing: 'volatile' }

export function backendOn(settings: Settings): Backend {
  const form = formOf(settings)
  const told = new Set<string>()
  const notice = (code: string, message: string) => {
    if (told.has(code)) return
    told.add(code)
    warn(code, message)
  }
  return {
    name: form === 'standalone' ? 'redis' : `redis-${form}`,
    capabilities: form === 'standalone' ? capabilities : replicated,
    open: (options) => open(settings, options, notice),
  }
}

function formOf({ target }: Settings): 'standalone' | 'sentinel' | 'cluster' {
  if (!isClient(target)) return target.form
  if (target.isCluster) return 'cluster'
  return (target as Redis).options.sentinels ? 'sentinel' : 'standalone'
}

async function open(
  settings: Settings,
  options: SessionOptions,
  notice: (code: string, message: string) => void,
): Promise<Session> {
  const { target, prefix, remember, acknowledge, acknowledgeTimeout } = settings
  const { clock, random, ttl, namespace, clientId } = options
  if (acknowledge > 0 && acknowledgeTimeout > ttl / 3) {
    throw invalid(`acknowledgeTimeout must be at most a third of the ttl of ${ttl} ms; got ${acknowledgeTimeout}`)
  }
  // How long a connection may be silent: longer than core waits before it repeats a call, and short enough that another
  // connection can still save what is held.
  const patience = Math.min(Math.max(ttl / 2, 500), 5_000) + (acknowledge > 0 ? acknowledgeTimeout : 0)
  const owned = isClient(target) ? undefined : clientOf(target, patience)
  const client = owned ?? (target as RedisClient)
  const keys = new Keys(prefix, namespace)
  const server = new Server(client, {
    ...settings,
    clock,
    ttl,
    patience,
    // A cluster's connections are looked after one by one, by the driver.
    silent: () => owned && !owned.isCluster && (owned as Redis).disconnect(true),
    channels: keys.channels,
    // A key lives at least as long as anything in it.
    remember: Math.max(remember, ttl),
  })
  const disconnect = () => owned && hangUp(owned)
  const session = new RedisSession(
    {
      server,
      keys,
      disconnect,
      listen: (events) =>
        new Listener(keys.channels + clientId, {
          clock,
          random,
          period: ttl / 2,
          connect: () => subscriberOf(client, patience),
          ...events,
        }),
    },
    options,
  )
  try {
    if (owned) await connect(owned, server)
    if (owned && !owned.isCluster) keepConnected(owned as Redis, clock)
    await Promise.all([inspect({ server, keys, clientId, notice }), session.listen()])
    return session
  } catch (error) {
    await session.close()
    throw error
  }
}

/** The driver tells why it cannot connect as an event, and rejects with less. */
async function connect(client: RedisClient, server: Server): Promise<void> {
  let why: unknown
  const hopeless = Promise.withResolvers<never>()
  const note = (error: unknown) => (why = error)
  // Of one server of a cluster: another may know better.
  client.on('node error', note)
  client.on('error', (error: unknown) => {
    note(error)
    // Or the driver would go on asking until nobody waits any more.
    if (failureOf(error).code === 'UNSUPPORTED') hopeless.reject(error)
  })
  try {
    await server.call(() => Promise.race([client.connect(), hopeless.promise]))
  } catch (error) {
    if (why !== undefined) await server.call(() => Promise.reject(why as Error))
    throw error
  }
  // The driver goes on without what the server has refused: in another database than it was told.
  if ((why as Error | undefined)?.name === 'ReplyError') await server.call(() => Promise.reject(why as Error))
}

/** A connection for messages: of the same server, or of any server of a cluster, which all hear all messages. */
function subscriberOf(client: RedisClient, patience: number): Redis | undefined {
  const nodes = client.isCluster ? (client as Cluster).nodes('master') : [client as Redis]
  const node = nodes[Math.floor(Math.random() * nodes.length)]
  return node?.duplicate({
    lazyConnect: true,
    failoverDetector: false,
    // It is looked after here: another one is made when it ends.
    retryStrategy: null,
    sentinelRetryStrategy: () => null,
    autoResubscribe: false,
    enableOfflineQueue: true,
    enableAutoPipelining: false,
    maxRetriesPerRequest: 0,
    connectTimeout: patience,
    socketTimeout: patience,
    keyPrefix: '',
  })
}
