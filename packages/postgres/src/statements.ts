import type { Statement } from './connection.ts'
import { spaceOf } from './sql/script.ts'

/** What a session says to the server, for its schema and with its number. */
export type Statements = ReturnType<typeof statementsOf>

export function statementsOf(schemaName: string, self: number) {
  const { schema } = spaceOf(schemaName)
  const statement = (name: string, text: string): Statement => ({ name, text })
  return {
    /**
     * An exclusive lock, without a row unless somebody is in the way. In this order: it must not be taken from those who
     * wait. The answer is a letter, as of `acquire`, or f(ree of a row), and a number.
     */
    take: statement('take', `SELECT ${taken(schema, self, '$1::bigint', '$2', '$3', '$4')}`),
    takeAll: statement(
      'takeAll',
      `SELECT ${taken(schema, self, 'o.key', 'o.name', 'o.id', 'o.wait')}
       FROM unnest($1::bigint[], $2::text[], $3::text[], $4::boolean[]) AS o(key, name, id, wait)`,
    ),
    /** The answer to each: nothing, or those that were granted instead, or none where it was not there. */
    free: statement('free', `SELECT ${schema}.free(${self}, $1)`),
    freeAll: statement('freeAll', `SELECT ${schema}.free(${self}, key) FROM unnest($1::bigint[]) AS o(key)`),
    run: statement(
      'run',
      `SELECT at, what, id, number FROM ${schema}.run(${self}, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    ),
    count: statement('count', `SELECT count(*)::int FROM ${schema}.entry WHERE session = ${self}`),
    reconcile: statement('reconcile', `SELECT k FROM ${schema}.reconcile($1, $2) k`),
    leave: statement('leave', `SELECT ${schema}.leave(${self}, $1)`),
    /** By the other connection. */
    rows: statement('rows', `SELECT id, name FROM ${schema}.entry WHERE session = ${self}`),
    entries: statement('entries', entries(schema)),
    unseen: statement('unseen', unseen(schema, self)),
  }
}

const taken = (schema: string, self: number, key: string, name: string, id: string, wait: string): string => `coalesce(
  CASE WHEN EXISTS (SELECT FROM ${schema}.entry e WHERE e.key = ${key}) THEN NULL
  WHEN pg_try_advisory_lock(${key}) THEN 'f' || nextval('${schema}.token') END,
  ${schema}.ask(${self}, ${key}, ${name}, ${id}, ${wait}))`

/** In queue order, in which holders are the first; after the time, whether the key is held in another name. */
const entries = (schema: string): string => `
WITH live AS MATERIALIZED (
  SELECT number, client, owner FROM ${schema}.session WHERE namespace = $1 AND NOT ${schema}.dead(number)
)
SELECT e.key, e.name, e.mode, e.permits, e.weight, s.client, s.owner, e.holds, e.token,
  extract(epoch FROM e.since)::float8 * 1000,
  NOT e.holds AND EXISTS (
    SELECT FROM ${schema}.entry o WHERE o.key = e.key AND o.name <> e.name AND o.session <> e.session AND o.holds),
  e.value
FROM ${schema}.entry e JOIN live s ON s.number = e.session
WHERE $2::bigint IS NULL OR e.key = $2 AND e.name = $3
ORDER BY e.name, e.place`

/** Whoever else has an exclusive lock, of the key asked for or of any, that has no row. */
const unseen = (schema: string, self: number): string => `
SELECT l.key, s.client, s.owner
FROM (
  SELECT pid, (classid::bigint << 32) | objid::bigint AS key FROM pg_locks
  WHERE locktype = 'advisory' AND objsubid = 1 AND mode = 'ExclusiveLock' AND granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
) l JOIN ${schema}.session s ON s.pid = l.pid AND s.namespace = $1 AND s.number <> ${self}
WHERE ($2::bigint IS NULL OR l.key = $2)
  AND NOT EXISTS (SELECT FROM ${schema}.entry e WHERE e.key = l.key AND e.session = s.number AND e.holds)`
