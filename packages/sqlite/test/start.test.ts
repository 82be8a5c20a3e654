import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { LockError } from '@locks/core'
import { systemClock, type Clock, type ErrorCode } from '@locks/core/backend'
import { expect, test } from 'vitest'
import { refuseNetwork } from '../src/location.ts'
import { child, cleanup, database, folder, open, request } from './support.ts'

async function refused(path: string, code: ErrorCode, message: RegExp): Promise<void> {
  const error: unknown = await open(path).catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(LockError)
  expect(error).toMatchObject({ code, temporary: false, message: expect.stringMatching(message) as string })
}

test('a missing folder is refused', () =>
  refused(join(folder(), 'none', 'a.db'), 'INVALID_ARGUMENT', /does not exist; create/))

test('a path under a file is refused', async () => {
  const file = database()
  writeFileSync(file, '')
  await refused(join(file, 'a.db'), 'INVALID_ARGUMENT', /is not a folder/)
})

test('a folder is refused', () => refused(folder(), 'INVALID_ARGUMENT', /is a folder/))

test('a pipe is refused instead of being waited for', async () => {
  const path = database()
  execFileSync('mkfifo', [path])
  await refused(path, 'INVALID_ARGUMENT', /no regular file/)
})

test('a folder in the place of the log is refused', async () => {
  const path = database()
  mkdirSync(`${path}-wal`)
  await refused(path, 'INVALID_ARGUMENT', /-wal" is a folder/)
})

test('what is not a database is refused, and left as it was', async () => {
  const path = database()
  const text = 'not a database, but long enough to have a header. '.repeat(100)
  writeFileSync(path, text)
  await refused(path, 'INVALID_ARGUMENT', /not an SQLite database/)
  expect(readFileSync(path, 'utf8')).toBe(text)
})

test.for([
  ['with tables', 'CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)'],
  ['with an application id', 'PRAGMA application_id = 7'],
  ['with a version', 'PRAGMA user_version = 1'],
])('the database of another application, %s, is refused, and left as it was', async ([, sql = '']) => {
  const path = database()
  const db = new DatabaseSync(path)
  db.exec(sql)
  db.close()
  const before = readFileSync(path)
  await refused(path, 'INVALID_ARGUMENT', /another application/)
  expect(readFileSync(path)).toEqual(before)
  expect(readdirSync(dirname(path))).toEqual(['locks.db'])
})

test('a newer schema is refused', async () => {
  const path = database()
  const { session } = await open(path)
  await session.close()
  const db = new DatabaseSync(path)
  db.exec('PRAGMA user_version = 3')
  db.close()
  await refused(path, 'UNSUPPORTED', /schema 3.*update @locks\/sqlite/)
})

test('a damaged database is refused', async () => {
  const path = database()
  const { session } = await open(path)
  await session.close()
  const bytes = readFileSync(path)
  writeFileSync(path, bytes.fill(0xff, 100))
  await refused(path, 'UNAVAILABLE', /damaged; delete/)
})

test('an empty file is a new database', async () => {
  const path = database()
  writeFileSync(path, '')
  const { session } = await open(path)
  expect(await session.acquire(request('a'))).toMatchObject({ tokens: [expect.any(BigInt)] })
})

test.for(['NFS 0x6969', 'SMB 0xfe534d42', '9P 0x01021997'])('a network file system is refused: %s', (each) => {
  const [name = '', type] = each.split(' ')
  expect(() => refuseNetwork('/mnt/a.db', Number(type))).toThrow(`network file system (${name})`)
  expect(() => refuseNetwork('/mnt/a.db', 0xef53)).not.toThrow()
})

test('a Node.js without node:sqlite is told to update', async () => {
  const answer = await child('open', { path: database() }, { flags: ['--no-experimental-sqlite'] }).next()
  expect(answer).toMatchObject({ code: 'UNSUPPORTED', temporary: false })
  expect(answer['message']).toMatch(/no node:sqlite; use 22.13/)
})

test.for(['the folder', 'the database', 'its log'])('no permission for %s is refused', async (what) => {
  const path = database()
  chmodSync(dirname(path), 0o777)
  const { session } = await open(path)
  await session.acquire(request('a'))
  for (const suffix of ['', '-wal', '-shm']) chmodSync(path + suffix, 0o666)
  const allowed = await child('open', { path }, { unprivileged: true }).next()
  expect(allowed).toEqual({ opened: true })
  const place = { 'the folder': dirname(path), 'the database': path, 'its log': `${path}-wal` }[what] as string
  chmodSync(place, what === 'the folder' ? 0o555 : 0o444)
  cleanup(() => chmodSync(place, 0o777))
  const answer = await child('open', { path }, { unprivileged: true }).next()
  expect(answer).toMatchObject({ code: 'UNAVAILABLE', temporary: false })
  expect(answer['message']).toMatch(/user \d+ may not read and write/)
})

test('a database that stays busy is unavailable for now', async () => {
  const path = database()
  const { session } = await open(path)
  await session.close()
  const blocker = child('block', { path })
  await blocker.next()
  // Ten times as fast as the machine's.
  const clock: Clock = {
    now: () => ({ mono: performance.now() * 10, wall: Date.now() * 10 }),
    after: (ms, run) => systemClock.after(ms / 10, run),
  }
  await expect(open(path, { clock })).rejects.toMatchObject({ code: 'UNAVAILABLE', temporary: true })
  blocker.send('go on')
  await blocker.next()
  await open(path)
})
