import { invalid, warn, type Backend, type Capabilities, type Session, type SessionOptions } from '@locks/core/backend'
import { Client } from './client.ts'
import { checkDriver } from './jute.ts'
import { ephemerals, remove } from './operations.ts'
import type { Settings } from './options.ts'
import { Paths } from './paths.ts'
import { failureOf } from './failures.ts'
import { ZookeeperSession } from './session.ts'
import { Sign } from './sign.ts'
import { labelOf } from './snapshots.ts'

const capabilities: Capabilities = {
  scope: 'network',
  fencing: 'durable',
  order: 'fifo',
  shared: true,
  semaphore: true,
  steal: true,
  sets: 'ordered',
  elections: true,
  listing: 'complete',
  reconnects: true,
  ttl: { min: 1_000, max: 86_400_000 },
  // A tick, which is 2 s unless the servers are told otherwise, and a second.
  takeover: 3_000,
}

export function backendOn(settings: Settings): Backend {
  const told = new Set<number>()
  return {
    name: 'zookeeper',
    capabilities,
    open: (options) => open(settings, options, told),
  }
}

async function open(settings: Settings, options: SessionOptions, told: Set<number>): Promise<Session> {
  checkDriver()
  const { clock, random, namespace, ttl, clientId, owner } = options
  const { servers, credentials, root, acl } = settings
  const paths = new Paths(root, namespace)
  const sign = new Sign(paths, acl, labelOf(clientId, owner))
  let session: ZookeeperSession | undefined
  const client = new Client({
    servers: shuffled(servers, () => random.unit()),
    credentials,
    ttl,
    clock,
    random,
    announce: (call, id) => sign.announce(call, id),
    changed: (path, event) => session?.changed(path, event),
    restored: () => session?.restored(),
    ended: (why) => session?.finish(why),
  })
  const since = await client.open()
  try {
    checkTtl(ttl, client.ttl, told)
    // An operation that servers before 3.6 do not have, on which the renewals stand.
    await client.call(ephemerals(paths.namespace))
  } catch (error) {
    const nodes = [sign.path, paths.namespace].map((path) => client.call(remove(path)))
    await Promise.allSettled([...nodes, client.close()])
    throw failureOf(error)
  }
  session = new ZookeeperSession({ client, paths, sign, settings }, options, since)
  return session
}

/** The servers grant what they like. */
function checkTtl(asked: number, granted: number, told: Set<number>): void {
  if (granted > asked) {
    throw invalid(
      `the ZooKeeper servers grant no ttl under ${granted} ms (minSessionTimeout, two ticks unless said otherwise);` +
        ` got ${asked}`,
    )
  }
  if (granted === asked || told.has(granted)) return
  told.add(granted)
  warn(
    'ZOOKEEPER_TTL',
    `the ZooKeeper servers grant no ttl over ${granted} ms (maxSessionTimeout, twenty ticks unless said otherwise);` +
      ` the ttl is that instead of ${asked}`,
  )
}

/** Each client begins with another server. */
function shuffled<T>(list: readonly T[], unit: () => number): T[] {
  const places = list.map((item) => ({ item, by: unit() }))
  return places.sort((a, b) => a.by - b.by).map(({ item }) => item)
}
