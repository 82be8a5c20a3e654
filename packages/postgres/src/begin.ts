import { randomInt } from 'node:crypto'
import { encodeName, type Instant, type SessionOptions } from '@locks/core/backend'
import { Bare } from './bare/bare.ts'
import { channel, statements } from './bare/statements.ts'
import type { Connection } from './connection.ts'
import { pooled, prepare } from './deployment.ts'
import type { Form, FormParts } from './form.ts'
import { Queued } from './queued.ts'
import { spaceOf } from './sql/script.ts'

/** What the beginning of a session has come to. */
export interface Begun {
  /** Before it began. */
  readonly sent: Instant
  /** Milliseconds for which the server may have forgotten locks that are still believed in. */
  readonly grace: number
  readonly channel: string
  readonly formOf: (parts: FormParts) => Form
  /** Refuses another connection that is the same one at the server: a lock of the one would not refuse the other. */
  readonly check: (other: Connection) => Promise<void>
}

/** With the tables of a schema. */
export async function beginQueued(lock: Connection, schema: string, options: SessionOptions): Promise<Begun> {
  const { clock, ttl, namespace, clientId, owner } = options
  await prepare(lock, schema)
  const sent = clock.now()
  const values = [ttl, namespace, clientId, encodeName(owner)]
  const text = `SELECT number, grace FROM ${spaceOf(schema).schema}.enter($1 * interval '1 ms', $2, $3, $4)`
  const [[found, grace] = []] = await lock.run({ name: 'enter', text }, () => values)
  const number = Number(found)
  return {
    sent,
    grace: Number(grace),
    channel: `locks_${number}`,
    formOf: (parts) => new Queued(parts, schema, number),
    async check(other) {
      const [[dead] = []] = await other.run(`SELECT ${spaceOf(schema).schema}.dead(${number})`)
      if (dead) throw pooled()
    },
  }
}

/** With nothing but advisory locks. Nobody knows the ttl of others then: the own one has to do for the grace. */
export async function beginBare(lock: Connection, { clock, ttl }: SessionOptions): Promise<Begun> {
  const sent = clock.now()
  const number = randomInt(2 ** 31)
  await lock.run(statements.hold, () => [number])
  const [[up] = []] = await lock.run('SELECT extract(epoch FROM clock_timestamp() - pg_postmaster_start_time()) * 1000')
  return {
    sent,
    grace: Math.max(0, ttl - Number(up)),
    channel,
    formOf: (parts) => new Bare(parts),
    async check(other) {
      const [[taken] = []] = await other.run(statements.hold, () => [number])
      if (taken) throw pooled()
    },
  }
}
