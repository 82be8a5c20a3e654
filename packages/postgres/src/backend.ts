import type { Backend, Capabilities, Session, SessionOptions, Timer } from '@locks/core/backend'
import { labelOf } from './bare/label.ts'
import { sharedSchema } from './bare/statements.ts'
import { beginBare, beginQueued } from './begin.ts'
import { clientOf } from './connect.ts'
import { Connection } from './connection.ts'
import { inspect, lockSettings } from './deployment.ts'
import { failureOf } from './failures.ts'
import { Keys, sha256, type Hash } from './keys.ts'
import type { Settings } from './options.ts'
import { PostgresSession } from './session.ts'

const capabilities: Capabilities = {
  scope: 'network',
  fencing: 'durable',
  order: 'fifo',
  shared: true,
  semaphore: true,
  // An advisory lock goes only with all others of its connection.
  steal: false,
  sets: 'ordered',
  elections: true,
  listing: 'complete',
  // The connection is the lock.
  reconnects: false,
  ttl: { min: 1_000, max: 86_400_000 },
  takeover: 1_000,
}

/** Without a schema there is nothing that an order, a limit or a token could be kept in. */
const reduced: Capabilities = {
  ...capabilities,
  fencing: 'none',
  order: 'none',
  shared: false,
  semaphore: false,
  elections: false,
  listing: 'none',
}

export function backendOn(settings: Settings, hash: Hash = sha256): Backend {
  const bare = settings.schema === null
  return {
    name: bare ? 'postgres-reduced' : 'postgres',
    capabilities: bare ? reduced : capabilities,
    open: (options) => open(settings, options, hash),
  }
}

async function open(settings: Settings, options: SessionOptions, hash: Hash): Promise<Session> {
  const { clock, ttl, clientId, owner, namespace } = options
  const { schema, restartGrace } = settings
  const patience = Math.min(Math.max(ttl / 2, 500), 5_000)
  const name = schema === null ? labelOf(clientId, owner) : '@locks/postgres lock'
  const made: Connection[] = []
  const make = (called: string) => {
    const connection = new Connection(clientOf(settings, called, patience))
    made.push(connection)
    return connection
  }
  let late: Timer | undefined
  let session: PostgresSession | undefined
  try {
    const lock = make(name)
    let listening: Connection | undefined = make(listener)
    await Promise.all(made.map((each) => each.connect()))
    // From now on the driver would wait for ever.
    late = clock.after(patience, () => lock.destroy())
    await inspect(lock)
    await lock.run(lockSettings(ttl))
    const begun = await (schema === null ? beginBare(lock, options) : beginQueued(lock, schema, options))
    const connect = () => {
      const next = listening ?? new Connection(clientOf(settings, listener, patience))
      listening = undefined
      return next
    }
    const { check, ...parts } = begun
    const keys = new Keys(schema ?? sharedSchema, namespace, hash)
    const grace = restartGrace ? begun.grace : 0
    session = new PostgresSession({ ...parts, grace, keys, lock, connect }, options)
    await session.listen(check)
    return session
  } catch (error) {
    if (session) await session.close()
    for (const each of made) each.destroy()
    throw failureOf(error)
  } finally {
    late?.cancel()
  }
}

const listener = '@locks/postgres listen'
