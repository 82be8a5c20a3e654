import type { DatabaseSync } from 'node:sqlite'
import { invalid, shown, unsupported } from '@locks/core/backend'

/** "lock" in ASCII. */
const applicationId = 0x6c6f636b
const version = 2

/**
 * An entry is one claim's place in the queue of one of its names. `place` orders a name's queue; `size` is how many
 * names the claim has; `token` is null while it waits; `told` is 0 from when another session grants it until its own
 * session has been told. `expires` is on the wall clock, and `renewals` counts for whoever does not trust that one.
 * Times are REAL, since a clock may have fractions of a millisecond.
 *
 * `counter.next` numbers places and tokens alike. Numbers below `counter.durable` may be used by transactions that a
 * power loss can roll back; the row that says so cannot be.
 */
const schema = `
  CREATE TABLE counter (next INTEGER NOT NULL, durable INTEGER NOT NULL) STRICT;
  INSERT INTO counter VALUES (1, 1);

  CREATE TABLE entry (
    name TEXT NOT NULL,
    place INTEGER NOT NULL,
    session INTEGER NOT NULL,
    id TEXT NOT NULL,
    client TEXT NOT NULL,
    owner TEXT NOT NULL,
    value TEXT,
    mode TEXT NOT NULL,
    permits INTEGER NOT NULL,
    weight INTEGER NOT NULL,
    size INTEGER NOT NULL,
    token INTEGER,
    told INTEGER NOT NULL DEFAULT 1,
    since REAL NOT NULL,
    expires REAL NOT NULL,
    ttl REAL NOT NULL,
    renewals INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (name, place)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX own ON entry (session, id);
  CREATE INDEX untold ON entry (session) WHERE token IS NOT NULL AND told = 0;

  CREATE TABLE stolen (
    session INTEGER NOT NULL,
    id TEXT NOT NULL,
    expires REAL NOT NULL,
    PRIMARY KEY (session, id)
  ) STRICT, WITHOUT ROWID;

  PRAGMA application_id = ${applicationId};
  PRAGMA user_version = ${version};
`

/** Makes an empty database ours. Another application's is refused as it is: nothing is written into it. */
export function adopt(db: DatabaseSync, path: string): void {
  const empty = inTransaction(db, 'BEGIN', () => isEmpty(db, path))
  const mode = db.prepare('PRAGMA journal_mode = WAL').get()?.['journal_mode']
  if (mode !== 'wal') {
    throw unsupported(`${shown(path)} cannot have a write-ahead log, which the locks need; name a path on a local disk`)
  }
  if (!empty) return
  // Several processes may have found it empty.
  inTransaction(db, 'BEGIN IMMEDIATE', () => {
    if (isEmpty(db, path)) db.exec(schema)
  })
}

function isEmpty(db: DatabaseSync, path: string): boolean {
  const number = (sql: string) => Number(Object.values(db.prepare(sql).get() ?? {})[0])
  const [id, made, objects] = [
    number('PRAGMA application_id'),
    number('PRAGMA user_version'),
    number('SELECT count(*) FROM sqlite_schema'),
  ]
  if (id === applicationId && made === version) return false
  if (id === applicationId) {
    const advice = made > version ? 'update @locks/sqlite' : 'name another path'
    throw unsupported(`${shown(path)} has the locks of another version of @locks/sqlite (schema ${made}); ${advice}`)
  }
  if (id === 0 && made === 0 && objects === 0) return true
  throw invalid(`${shown(path)} is the database of another application; the locks need a file of their own`)
}

/** Without a rollback: a connection on which this fails is closed. */
function inTransaction<T>(db: DatabaseSync, begin: string, work: () => T): T {
  db.exec(begin)
  const result = work()
  db.exec('COMMIT')
  return result
}
