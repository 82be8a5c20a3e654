import { chmodSync, existsSync, readdirSync, rmSync, watch, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { LockManager } from '@locks/core'
import { systemClock, type Clock } from '@locks/core/backend'
import { sqlite } from '@locks/sqlite'
import { expect, test } from 'vitest'
import { child, cleanup, database, open, request, turn, until, type Opened } from './support.ts'

const wakeFiles = (path: string) => (existsSync(`${path}-wake`) ? readdirSync(`${path}-wake`) : [])

/** A clock by which a busy database is tried again, but no poll ever comes. */
function pollless(): Clock {
  const never = { cancel() {} }
  return { now: () => systemClock.now(), after: (ms, run) => (ms < 50 ? systemClock.after(ms, run) : never) }
}

test('a handoff wakes the one who is granted, once, and nobody else', async () => {
  const path = database()
  const holder = await open(path)
  const [first, second, third] = [request('a'), request('b'), request('c')]
  for (const each of [first, second, third]) await holder.session.acquire(each)
  // The holder has no file.
  expect(wakeFiles(path)).toEqual([])
  const wakes: number[] = []
  const waiters: Opened[] = []
  for (let at = 0; at < 3; at++) {
    const before = wakeFiles(path)
    const waiter = await open(path)
    waiters.push(waiter)
    for (const name of ['a', 'b', 'c']) await waiter.session.acquire(request(name))
    const [file] = wakeFiles(path).filter((each) => !before.includes(each))
    wakes.push(0)
    const watcher = watch(join(`${path}-wake`, String(file)), () => (wakes[at] = (wakes[at] ?? 0) + 1))
    cleanup(() => watcher.close())
  }
  await holder.session.remove(first)
  await until(() => waiters[0]?.granted.length === 1)
  // Whatever else had been written by then is told before what is written now.
  await holder.session.remove(second)
  await until(() => waiters[0]?.granted.length === 2)
  expect(wakes).toEqual([2, 0, 0])
})

test('readers of one session who are granted together are one wake-up', async () => {
  const path = database()
  const [one, two] = [await open(path), await open(path)]
  const writer = request('a')
  await one.session.acquire(writer)
  const readers = Array.from({ length: 50 }, () => request('a', { mode: 'shared' }))
  await Promise.all([...readers, request('a')].map((each) => two.session.acquire(each)))
  let wakes = 0
  const watcher = watch(join(`${path}-wake`, wakeFiles(path)[0] as string), () => wakes++)
  cleanup(() => watcher.close())
  await one.session.remove(writer)
  await until(() => two.granted.length === 50)
  await until(() => wakes > 0)
  expect(wakes).toBe(1)
})

test('users who may write the database wake each other', async () => {
  const path = database()
  chmodSync(dirname(path), 0o777)
  await (await open(path)).session.close()
  chmodSync(path, 0o666)
  const holder = child('hold', { path }, { unprivileged: true })
  await holder.next()
  const { session, granted } = await open(path, { clock: pollless(), namespace: 'locks' })
  expect(await session.acquire(request('lock'))).toBe('queued')
  await turn()
  holder.send('release')
  await holder.next()
  await until(() => granted.length === 1)
})

test('a wake-up file that is taken away is made again', async () => {
  const path = database()
  const [one, two] = [await open(path), await open(path)]
  const holder = request('a')
  await one.session.acquire(holder)
  await two.session.acquire(request('a'))
  for (let i = 0; i < 3; i++) {
    const [file] = wakeFiles(path) as [string]
    rmSync(join(`${path}-wake`, file))
    await until(() => wakeFiles(path).length === 1)
  }
  rmSync(`${path}-wake`, { recursive: true })
  await until(() => wakeFiles(path).length === 1)
  await one.session.remove(holder)
  await until(() => two.granted.length === 1)
})

test('what happened while there was no file is found when it is made again', async () => {
  const path = database()
  const [one, two] = [await open(path), await open(path, { clock: pollless() })]
  const holder = request('a')
  await one.session.acquire(holder)
  await two.session.acquire(request('a'))
  await turn()
  const removed = one.session.remove(holder)
  // In the same turn, before the file is written to.
  rmSync(`${path}-wake`, { recursive: true })
  await removed
  await until(() => two.granted.length === 1)
})

test('a wake-up that is lost costs a second, not the lock', async () => {
  const path = database()
  const [one, two] = [await open(path), await open(path)]
  const holder = request('a')
  await one.session.acquire(holder)
  await two.session.acquire(request('a'))
  const db = new DatabaseSync(path)
  cleanup(() => db.close())
  const from = performance.now()
  // A grant like any other, by somebody who was killed before the wake-up.
  db.exec('BEGIN IMMEDIATE')
  db.exec('DELETE FROM entry WHERE token IS NOT NULL')
  db.exec('UPDATE entry SET token = 7, told = 0')
  db.exec('COMMIT')
  await until(() => two.granted.length === 1)
  expect(performance.now() - from).toBeLessThan(2_000)
})

test('files of the dead do not pile up', async () => {
  const path = database()
  const { session } = await open(path, { namespace: 'locks' })
  const holder = request('lock')
  await session.acquire(holder)
  const dead = Array.from({ length: 5 }, () => child('wait', { path, ttl: 1_000 }))
  for (const each of dead) await each.next()
  await until(() => wakeFiles(path).length === 5)
  for (const each of dead) each.process.kill('SIGKILL')
  await Promise.all(dead.map(({ exit }) => exit))
  // By whoever drops a dead session's last entry …
  await session.remove(holder)
  await until(() => session.acquire(request('lock', { wait: false })))
  await until(() => wakeFiles(path).length === 0)
})

test('files that nobody dropped are removed by whoever opens the database', async () => {
  const path = database()
  const { session } = await open(path)
  await session.acquire(request('a'))
  const two = await open(path)
  await two.session.acquire(request('a'))
  const [live] = wakeFiles(path)
  for (const stale of ['1', '2', '3']) writeFileSync(join(`${path}-wake`, stale), '')
  writeFileSync(join(`${path}-wake`, 'notes.txt'), '')
  await open(path)
  expect(new Set(wakeFiles(path))).toEqual(new Set([live, 'notes.txt']))
})

test('nothing is left when nobody waits, and nothing when all are closed', async () => {
  const path = database()
  const [one, two] = [new LockManager(sqlite({ path })), new LockManager(sqlite({ path }))]
  cleanup(() => Promise.all([one.close(), two.close()]))
  const held = await one.acquire('a')
  const waiting = two.acquire('a')
  await until(() => wakeFiles(path).length === 1)
  await held.release()
  await waiting
  expect(wakeFiles(path)).toEqual([])
  const again = one.acquire('a').catch(() => {})
  await until(() => wakeFiles(path).length === 1)
  await one.close()
  await again
  expect(wakeFiles(path)).toEqual([])
})

test('without file descriptors it looks more often, and warns once', async () => {
  const path = database()
  const { session } = await open(path, { namespace: 'locks' })
  const holder = request('lock')
  await session.acquire(holder)
  const waiter = child('wait', { path, exhaust: 'yes' }, { shell: 'ulimit -n 64' })
  expect(await waiter.next()).toEqual({ exhausted: 'EMFILE' })
  await waiter.next()
  await until(async () => (await session.query()).length === 2)
  expect(wakeFiles(path)).toEqual([])
  // Past the first look and the first renewal.
  const waiting = performance.now()
  await until(() => performance.now() - waiting > 1_200)
  const from = performance.timeOrigin + performance.now()
  await session.remove(holder)
  const { at, warnings } = await waiter.next()
  expect(Number(at) - from).toBeLessThan(500)
  const own = (warnings as string[]).filter((warning) => warning.startsWith('SQLITE'))
  expect(own).toEqual([expect.stringMatching(/^SQLITE_UNWATCHED: .*EMFILE/)])
})

test('an idle waiter costs next to nothing', async () => {
  const path = database()
  const { session } = await open(path, { namespace: 'locks' })
  const holder = request('lock')
  await session.acquire(holder)
  const waiter = child('wait', { path })
  await waiter.next()
  await until(async () => (await session.query()).length === 2)
  const renewals = setInterval(() => void session.renew([holder]), 1_000)
  const from = performance.now()
  await until(() => performance.now() - from > 4_000)
  clearInterval(renewals)
  await session.remove(holder)
  const { cpu, wall } = await waiter.next()
  expect(Number(cpu) / Number(wall)).toBeLessThan(0.05)
})
