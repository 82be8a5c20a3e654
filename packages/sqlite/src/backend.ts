import { realpathSync, statSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import {
  elapsed,
  invalid,
  LockError,
  shown,
  unsupported,
  warn,
  type Backend,
  type Capabilities,
  type Session,
  type SessionOptions,
} from '@locks/core/backend'
import { Database } from './database.ts'
import { codes, failureOf, type DatabaseFailure } from './failures.ts'
import { checkLocation } from './location.ts'
import { adopt } from './schema.ts'
import { SqliteSession } from './session.ts'
import { WakeFolder } from './wake.ts'

const capabilities: Capabilities = {
  scope: 'machine',
  fencing: 'durable',
  raises: true,
  order: 'fifo',
  shared: true,
  semaphore: true,
  steal: true,
  sets: 'atomic',
  elections: true,
  listing: 'complete',
  reconnects: true,
  ttl: { min: 1_000, max: 86_400_000 },
  takeover: 1_000,
}

/** Milliseconds for which `open` waits for its turn at a busy database. */
const openWithin = 5_000

export function backendOn(path: string): Backend {
  let warned = false
  const unwatched = (error: unknown) => {
    if (warned) return
    warned = true
    const code = String((error as { code?: unknown }).code)
    warn('SQLITE_UNWATCHED', `wake-up files cannot be watched (${code}); waiters look ten times a second instead`)
  }
  return {
    name: 'sqlite',
    capabilities,
    async open(options) {
      const driver = await loadDriver()
      checkLocation(path)
      return whenFree(options, path, () => openSession(driver, path, options, unwatched))
    },
  }
}

async function loadDriver(): Promise<typeof DatabaseSync> {
  try {
    return (await import('node:sqlite')).DatabaseSync
  } catch {
    throw unsupported(`this Node.js (${process.version}) has no node:sqlite; use 22.13 or newer`)
  }
}

/** Tries again while other processes write, without keeping the event loop. */
async function whenFree<T>({ clock, random }: SessionOptions, path: string, open: () => T): Promise<T> {
  const started = clock.now()
  for (;;) {
    try {
      return open()
    } catch (error) {
      if (error instanceof LockError) throw error
      const failure = failureOf(error)
      if (failure.severity !== 'busy') throw refusal(failure, path)
      if (elapsed(started, clock.now()) > openWithin) {
        throw new LockError('UNAVAILABLE', `other processes kept ${shown(path)} busy for ${openWithin} ms`)
      }
    }
    await new Promise<void>((resolve) => clock.after(1 + 15 * random.unit(), resolve))
  }
}

function openSession(
  driver: typeof DatabaseSync,
  path: string,
  options: SessionOptions,
  unwatched: (error: unknown) => void,
): Session {
  const db = new driver(path)
  try {
    // Without `fullfsync`, a Mac's disk may still have the number block in its cache when it loses power.
    db.exec('PRAGMA busy_timeout = 0; PRAGMA synchronous = NORMAL; PRAGMA fullfsync = ON')
    adopt(db, path)
    const real = realpathSync(path)
    const database = new Database(db, path, real)
    const session = database.skipBlock(options.clock.now())
    const wakeFolder = new WakeFolder(real, statSync(real))
    wakeFolder.sweep((each) => database.table.hasAny(each))
    return new SqliteSession({ database, wakeFolder, session, unwatched }, options)
  } catch (error) {
    db.close()
    throw error
  }
}

function refusal({ code, error }: DatabaseFailure, path: string): LockError {
  if (code === codes.notADatabase) return invalid(`${shown(path)} is not an SQLite database; name another path`)
  if (code === codes.corrupt) {
    const message = `${shown(path)} is damaged; delete it with its -wal and -shm files when nobody uses it`
    return new LockError('UNAVAILABLE', message, { temporary: false })
  }
  return error
}
