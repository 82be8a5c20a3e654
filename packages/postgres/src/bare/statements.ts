import type { Statement } from '../connection.ts'
import { spaceOf } from '../sql/script.ts'

/** Where everybody is told of what has become free. */
export const channel = 'locks_free'

/** The space of the default schema: an exclusive lock excludes those of both forms. */
export const sharedSchema = 'locks'
const { sessionClass, mutexClass: markClass } = spaceOf(sharedSchema)

/** Whoever waits has an advisory lock of his own (`high`, `waiter`), to be counted by, and shares the mark of the key. */
const wait = `pg_advisory_lock_shared(${markClass}, o.mark)::text || pg_advisory_lock(o.high, o.waiter)::text <> ''`
const unwait = `pg_advisory_unlock_shared(${markClass}, o.mark) AND pg_advisory_unlock(o.high, o.waiter)`

export const statements = {
  /**
   * Ops: t(ry once), w(ait), s(tand behind another of one's own), l(ook again), c(ancel a wait), f(ree). Answers: g(ranted),
   * q(ueued), n(ot), d(one), o(thers wait), x (it was not there). A waiter marks that he waits, then tries once more; whoever
   * frees a lock looks for marks after that: one of the two sees the other.
   */
  run: {
    name: 'run',
    text: `
SELECT CASE o.op
  WHEN 't' THEN CASE WHEN pg_try_advisory_lock(o.key) THEN 'g' ELSE 'n' END
  WHEN 'w' THEN CASE
    WHEN pg_try_advisory_lock(o.key) THEN 'g'
    WHEN ${wait} THEN NULL
    WHEN NOT pg_try_advisory_lock(o.key) THEN 'q'
    WHEN ${unwait} THEN 'g' END
  WHEN 's' THEN CASE WHEN ${wait} THEN NULL ELSE 'q' END
  WHEN 'l' THEN CASE WHEN NOT pg_try_advisory_lock(o.key) THEN 'q' WHEN ${unwait} THEN 'g' END
  WHEN 'c' THEN CASE WHEN ${unwait} THEN 'd' ELSE 'x' END
  WHEN 'f' THEN CASE
    WHEN NOT pg_advisory_unlock(o.key) THEN 'x'
    WHEN pg_try_advisory_lock(${markClass}, o.mark) THEN CASE WHEN pg_advisory_unlock(${markClass}, o.mark) THEN 'd' END
    WHEN pg_notify('${channel}', o.key::text)::text = '' THEN 'o' END
  END
FROM unnest($1::text[], $2::bigint[], $3::int[], $4::int[], $5::int[]) AS o(op, key, high, mark, waiter)`,
  },
  beat: { name: 'beat', text: 'SELECT' },
  /** Holds a number that two connections must not both get. */
  hold: { name: 'hold', text: `SELECT pg_try_advisory_lock(${sessionClass}, $1)` },
  leave: { name: 'leave', text: 'SELECT pg_advisory_unlock_all()' },
  tell: { name: 'tell', text: `SELECT pg_notify('${channel}', k::text) FROM unnest($1::bigint[]) k` },
  /** Whoever has the key, and whoever waits for it, by what his connection is called. */
  entries: {
    name: 'entries',
    text: `
SELECT l.objsubid = 1, a.application_name FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.granted AND l.mode = 'ExclusiveLock'
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND l.classid::bigint = ($1::bigint >> 32) & 4294967295
  AND (l.objsubid = 2 OR l.objsubid = 1 AND l.objid::bigint = $1::bigint & 4294967295)
  AND a.application_name LIKE '@locks %'
ORDER BY l.objsubid`,
  },
} as const satisfies Record<string, Statement>
