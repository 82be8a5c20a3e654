import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import type { Store } from './store.ts'

/** Processes that share a file: no server, no network. */
export const sqlite: Store = {
  name: 'sqlite',
  ttl: 1_500,
  start() {
    const folder = mkdtempSync(join(tmpdir(), 'locks-chaos-sqlite-'))
    const path = join(folder, 'locks.db')
    const ask = <T>(question: (db: DatabaseSync) => T): T => {
      const db = new DatabaseSync(path)
      try {
        // Others may be writing, and none of them for long.
        db.exec('PRAGMA busy_timeout = 10000')
        return question(db)
      } finally {
        db.close()
      }
    }
    return Promise.resolve({
      way: { url: `sqlite:${pathToFileURL(path).pathname}` },
      faults: [
        {
          kind: 'holders deleted',
          lasts: [0, 0],
          breaks: true,
          async inflict() {
            ask((db) => db.exec('DELETE FROM entry WHERE token IS NOT NULL'))
            return { target: 'all names' }
          },
        },
      ],
      left: async () =>
        ask((db) => db.prepare('SELECT name, owner FROM entry').all()).map((row) => JSON.stringify(row)),
      end: async () => rmSync(folder, { recursive: true, force: true }),
    })
  },
}
