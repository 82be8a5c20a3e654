import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import type { Fault } from '../nemesis/fault.ts'
import type { Store } from './store.ts'

/** Processes that share a file: no server, no network. */
export const sqlite: Store = {
  name: 'sqlite',
  ttl: 1_500,
  start() {
    const folder = mkdtempSync(join(tmpdir(), 'locks-chaos-sqlite-'))
    const path = join(folder, 'locks.db')
    const holdersDeleted: Fault = {
      kind: 'holders deleted',
      lasts: [0, 0],
      breaks: true,
      async inflict() {
        const done = await ask(path, (db) => db.exec('DELETE FROM entry WHERE token IS NOT NULL'))
        return done && { target: 'all names' }
      },
    }
    return Promise.resolve({
      way: { url: `sqlite:${pathToFileURL(path).pathname}` },
      faults: [holdersDeleted, writing(path)],
      async left() {
        const rows = await ask(path, (db) => db.prepare('SELECT name, owner FROM entry').all())
        return rows ? rows.value.map((row) => JSON.stringify(row)) : ['a transaction that keeps others out']
      },
      end: async () => rmSync(folder, { recursive: true, force: true }),
    })
  },
}

/** Somebody else's transaction, which keeps all out who want to write. */
const writing = (path: string): Fault => ({
  kind: 'database busy',
  lasts: [0.1, 1.2],
  weight: 2,
  async inflict() {
    const db = new DatabaseSync(path)
    try {
      db.exec('PRAGMA busy_timeout = 0; BEGIN IMMEDIATE')
    } catch {
      db.close()
      return undefined
    }
    return { target: 'the file', heal: async () => db.close() }
  },
})

/** Undefined if others kept it busy: a process that is stopped in a transaction does so until it goes on. */
async function ask<T>(path: string, question: (db: DatabaseSync) => T): Promise<{ readonly value: T } | undefined> {
  for (let tries = 0; tries < 50; tries++) {
    const db = new DatabaseSync(path)
    try {
      // Waiting in the driver would keep this process from letting the stopped one go on.
      db.exec('PRAGMA busy_timeout = 0')
      return { value: question(db) }
    } catch (error) {
      if ((error as { errcode?: unknown }).errcode !== busy) throw error
    } finally {
      db.close()
    }
    await sleep(10)
  }
  return undefined
}

const busy = 5
