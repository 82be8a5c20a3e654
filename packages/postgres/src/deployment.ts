import { unsupported } from '@locks/core/backend'
import type { Connection } from './connection.ts'
import { failureOf, refused } from './failures.ts'
import { schemaScript, spaceOf, version } from './sql/script.ts'

/** `idle_session_timeout`, by which a silent holder is dropped, came with 14. */
const oldest = 140_000

/** Looks at the server before anybody relies on it, and refuses what cannot keep a lock. */
export async function inspect(connection: Connection): Promise<void> {
  const [[pid, number, standby, readOnly] = []] = await connection.run(
    `SELECT pg_backend_pid(), current_setting('server_version_num')::int, pg_is_in_recovery(),
      current_setting('default_transaction_read_only') = 'on'`,
  )
  // A pooler invents a process for its client, and gives it a server's connection for a transaction at a time.
  if (pid !== connection.processId) throw pooled()
  if (Number(number) < oldest) {
    throw unsupported(`Postgres 14 or newer is needed; this server is ${Math.floor(Number(number) / 10_000)}`)
  }
  if (standby) throw unsupported('this Postgres server is a standby, whose locks say nothing to its primary')
  if (readOnly) throw refused('this Postgres server takes no writes from this role (default_transaction_read_only)')
}

/** Makes the schema where it is missing, and refuses another version of it. */
export async function prepare(connection: Connection, schema: string): Promise<void> {
  const space = spaceOf(schema).schema
  const [[isThere] = []] = await connection.run(`SELECT to_regprocedure('${space}.version()') IS NOT NULL`)
  if (!isThere) await make(connection, schema)
  const [[found] = []] = await connection.run(`SELECT ${space}.version()`)
  if (found !== version) {
    const whose = `is version ${String(found)} of @locks/postgres, this is version ${version}`
    throw unsupported(`the schema "${schema}" ${whose}: give it a schema of its own`)
  }
}

export const pooled = () =>
  unsupported('there is a pooler before this Postgres server: a lock is a connection, so connect to the server itself')

async function make(connection: Connection, schema: string): Promise<void> {
  try {
    await connection.run(schemaScript(schema))
  } catch (error) {
    if (failureOf(error).temporary || (error as { code?: unknown }).code !== '42501') throw error
    throw refused(
      `the role may not create the schema "${schema}", and it is not there yet: create it ahead of time, as the README of @locks/postgres says, or do with less by schema=none`,
    )
  }
}

/** What the connection that holds the locks needs, whatever the server's defaults are. */
export function lockSettings(ttl: number): string {
  const seconds = Math.ceil(ttl / 1_000)
  const idle = Math.min(seconds, 32_767)
  // Only its own silence may end it, and only after a ttl: it is what others go by, and what the holder counts from.
  const interval = Math.max(1, Math.ceil((seconds - idle) / 3))
  return [
    'search_path = pg_catalog',
    'client_min_messages = error',
    "default_transaction_isolation = 'read committed'",
    // Or a crash would take tokens back that have been given.
    'synchronous_commit = on',
    // Plans outlive the time when the tables were small. What is off counts as very dear, for which a plan would be compiled.
    'enable_seqscan = off',
    'enable_bitmapscan = off',
    'jit = off',
    'lock_timeout = 0',
    'idle_in_transaction_session_timeout = 0',
    `tcp_keepalives_idle = ${idle}`,
    `tcp_keepalives_interval = ${Math.min(interval, 32_767)}`,
    'tcp_keepalives_count = 3',
    `tcp_user_timeout = ${Math.ceil(ttl)}`,
    `statement_timeout = ${Math.max(1, Math.floor(ttl / 4) - 1)}`,
    `idle_session_timeout = ${Math.ceil(ttl)}`,
  ]
    .map((setting) => `SET ${setting}`)
    .join(';')
}
