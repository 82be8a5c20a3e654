import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ours } from './ours.ts'
import { free } from './raw.ts'
import type { Place, Release, Subject } from './subject.ts'

const pathOf = (url: string) => url.replace('sqlite:', '')

const floor: Subject = {
  name: 'raw driver',
  kind: 'floor',
  settings: 'node:sqlite, WAL, synchronous NORMAL: one INSERT and one DELETE by id, each its own transaction',
  cannot: { wait: 'a statement does not wait', hold: 'a row costs nothing', crash: 'a row has no end' },
  async open({ url }: Place) {
    const { DatabaseSync } = await import('node:sqlite')
    const database = new DatabaseSync(`${pathOf(url)}.floor`)
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 5000')
    database.exec('CREATE TABLE IF NOT EXISTS locks (name TEXT PRIMARY KEY, owner TEXT) WITHOUT ROWID')
    const insert = database.prepare('INSERT INTO locks VALUES (?, ?) ON CONFLICT DO NOTHING')
    const remove = database.prepare('DELETE FROM locks WHERE name = ? AND owner = ?')
    const tryAcquire = async (name: string): Promise<Release | null> => {
      if (insert.run(name, 'owner').changes === 0) return null
      return async () => remove.run(name, 'owner')
    }
    return { tryAcquire, acquire: (name) => free(tryAcquire(name)), close: async () => database.close() }
  },
}

const properLockfile: Subject = {
  name: 'proper-lockfile',
  kind: 'peer',
  settings:
    'defaults (stale 10 s, renewed every 5 s); waits by looking every 50 ms for ever, as it has to be told how often',
  polls: true,
  cannot: { shared: 'has no shared mode', permits: 'has no semaphores' },
  bundle: { packages: ['proper-lockfile'], external: [] },
  async open({ url, ttl }) {
    const { lock } = (await import('proper-lockfile')).default
    const made = new Map<string, Promise<string>>()
    /** What is locked has to be there. */
    const fileOf = (name: string) => {
      const file = join(pathOf(url), '..', encodeURIComponent(name))
      const known = made.get(name) ?? writeFile(file, '').then(() => file)
      made.set(name, known)
      return known
    }
    const stale = Math.max(ttl, 5_000)
    const often = { forever: true, factor: 1, minTimeout: 50, maxTimeout: 50, randomize: false }
    return {
      acquire: async (name) => lock(await fileOf(name), { stale, retries: often }),
      async tryAcquire(name) {
        try {
          return await lock(await fileOf(name), { stale })
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code === 'ELOCKED') return null
          throw error
        }
      },
      close: () => Promise.resolve(),
    }
  },
}

export const subjects: readonly Subject[] = [
  ...ours({
    settings: 'as it is',
    bundle: { packages: ['@locks/core', '@locks/sqlite'], external: [] },
  }),
  floor,
  properLockfile,
]
