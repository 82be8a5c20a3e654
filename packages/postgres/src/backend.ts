import {
  encodeName,
  type Backend,
  type Capabilities,
  type Session,
  type SessionOptions,
  type Timer,
} from '@locks/core/backend'
import { clientOf } from './connect.ts'
import { Connection } from './connection.ts'
import { inspect, lockSettings, pooled } from './deployment.ts'
import { failureOf } from './failures.ts'
import { Keys, sha256, type Hash } from './keys.ts'
import type { Settings } from './options.ts'
import { PostgresSession } from './session.ts'
import { spaceOf } from './sql/script.ts'

const capabilities: Capabilities = {
  scope: 'network',
  fencing: 'durable',
  order: 'fifo',
  shared: true,
  semaphore: true,
  // An advisory lock goes only with all others of its connection.
  steal: false,
  sets: 'ordered',
  listing: 'complete',
  // The connection is the lock.
  reconnects: false,
  ttl: { min: 1_000, max: 86_400_000 },
  takeover: 1_000,
}

export function backendOn(settings: Settings, hash: Hash = sha256): Backend {
  return {
    name: 'postgres',
    capabilities,
    open: (options) => open(settings, options, hash),
  }
}

async function open(settings: Settings, options: SessionOptions, hash: Hash): Promise<Session> {
  const { clock, ttl } = options
  const patience = Math.min(Math.max(ttl / 2, 500), 5_000)
  const connect = (role: 'lock' | 'listen') => new Connection(clientOf(settings, role, patience))
  const lock = connect('lock')
  const connecting = [connect('listen')]
  const listening = () => connecting.pop() ?? connect('listen')
  let late: Timer | undefined
  let session: PostgresSession | undefined
  try {
    await Promise.all([lock, ...connecting].map((each) => each.connect()))
    // From now on the driver would wait for ever.
    late = clock.after(patience, () => lock.destroy())
    await inspect(lock, settings.schema)
    await lock.run(lockSettings(ttl))
    const { number, grace, sent } = await enter(lock, settings, options)
    const keys = new Keys(settings.schema, options.namespace, hash)
    const identity = { number, schema: settings.schema, grace: settings.restartGrace ? grace : 0 }
    session = new PostgresSession({ ...identity, keys, lock, sent, connect: listening }, options)
    await session.listen((connection) => refuseShared(connection, settings.schema, number))
    return session
  } catch (error) {
    if (session) await session.close()
    for (const each of [lock, ...connecting]) each.destroy()
    throw failureOf(error)
  } finally {
    late?.cancel()
  }
}

async function enter(lock: Connection, { schema }: Settings, options: SessionOptions) {
  const { clock, ttl, namespace, clientId, owner } = options
  const sent = clock.now()
  const values = [ttl, namespace, clientId, encodeName(owner)]
  const text = `SELECT number, grace FROM ${spaceOf(schema).schema}.enter($1 * interval '1 ms', $2, $3, $4)`
  const [[number, grace] = []] = await lock.run({ name: 'enter', text }, () => values)
  return { number: Number(number), grace: Number(grace), sent }
}

/** Two connections that are one at the server: a lock of the one would not refuse the other. */
async function refuseShared(listening: Connection, schema: string, number: number): Promise<void> {
  const [[dead] = []] = await listening.run(`SELECT ${spaceOf(schema).schema}.dead(${number})`)
  if (dead) throw pooled()
}
