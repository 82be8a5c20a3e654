import type { Lock, LockManager } from '@locks/core'
import { postgres } from '@locks/postgres'
import { startPostgres, type PostgresServer } from '@locks/testkit'
import { Client } from 'pg'
import { afterAll, expect, test } from 'vitest'
import { cleanup, leftAt, nothing, open, settled, unhandledRejections, until } from './fixtures.ts'

const server = await startPostgres()
afterAll(() => server.end())

const client = (options = {}) => open(postgres({ url: server.url }), { ttl: 10_000, ...options })

const numbered = (count: number, prefix = 'name') => Array.from({ length: count }, (_, at) => `${prefix} ${at}`)

test('1,000 held and 1,000 waiting locks of one process need at most 5 connections, and leave nothing', async () => {
  const names = numbered(1_000)
  const [one, other] = [await client(), await client()]
  const held = await Promise.all(names.map((name) => one.acquire(name)))
  const waiting = names.map((name) => other.acquire(name))
  await until('all wait', async () => (await other.query()).pending.length === 1_000)
  const connections = await server.sessions()
  expect(connections).toBeLessThanOrEqual(5)
  const before = held.map(({ expiresAt }) => expiresAt)
  await until('all are renewed', () => held.every(({ expiresAt }, at) => expiresAt > (before[at] ?? 0)))
  expect(held.every((lock) => lock.held)).toBe(true)
  expect(await server.sessions()).toBe(connections)
  const releases = await Promise.all(held.map((lock) => lock.release()))
  expect(new Set(releases)).toEqual(new Set(['released']))
  const next = await Promise.all(waiting)
  expect(next.every((lock, at) => lock.token > (held[at]?.token ?? 0n))).toBe(true)
  await Promise.all([one.close(), other.close()])
  expect(await leftAt(server)).toEqual(nothing)
})

test('one manager that holds 1,000 and waits for 1,000 others', async () => {
  const [locks, rival] = [await client(), await client()]
  const own = await Promise.all(numbered(1_000, 'own').map((name) => locks.acquire(name)))
  const others = await Promise.all(numbered(1_000, 'other').map((name) => rival.acquire(name)))
  const waiting = others.map(({ name }) => settled(locks.acquire(name)))
  await until('all wait', async () => (await rival.query()).pending.length === 1_000)
  expect(await server.sessions()).toBeLessThanOrEqual(5)
  // It has all that it holds, and those that wait are told.
  await locks.close()
  expect(own.some(({ held }) => held)).toBe(false)
  const outcomes = await Promise.all(waiting)
  expect(outcomes.every(({ error }) => (error as { code?: string }).code === 'CLOSED')).toBe(true)
  const left = await leftAt(server)
  expect(left).toMatchObject({ connections: 2, sessions: 1 })
  // What the other one holds, and the lock by which it is known to be alive.
  expect(left.locks).toBe(1_001)
  await rival.close()
  expect(await leftAt(server)).toEqual(nothing)
})

test('a batch for which the server has no room fails as a whole or in part, and leaves nothing', async () => {
  const unhandled = unhandledRejections()
  const tiny = await startPostgres({ settings: { max_connections: '10', max_locks_per_transaction: '10' } })
  cleanup(() => tiny.end())
  // There is no room for another connection either.
  const admin = await adminOf(tiny)
  const locks = await open(postgres({ url: tiny.url }), { ttl: 5_000, connectTimeout: 2_000 })
  const first = await locks.acquire('before')
  let failed = 0
  let granted: Lock[] = []
  for (let asked = 500; failed === 0; asked += 500) {
    const outcomes = await Promise.all(
      numbered(500, `batch ${asked}`).map((name) => settled(locks.acquire(name, { timeout: 1_000 }))),
    )
    granted = [...granted, ...outcomes.flatMap(({ value }) => (value ? [value] : []))]
    const errors = outcomes.flatMap(({ error }) => (error === undefined ? [] : [error]))
    failed += errors.length
    for (const error of errors)
      expect(error).toMatchObject({ code: expect.stringMatching(/UNAVAILABLE|TIMEOUT/) as string })
  }
  console.log(`${granted.length} locks granted, ${failed} refused for lack of room`)
  // What the server keeps is what was granted, and no more: what failed is taken back.
  const alive = granted.filter((lock) => lock.held)
  await until(
    'only what is held is locked',
    async () => (await namesLocked(admin)) === alive.length + Number(first.held),
  )
  await Promise.all(granted.map((lock) => lock.release()))
  await first.release()
  await until('nothing is locked', async () => (await namesLocked(admin)) === 0)
  // And it works as before.
  const again = await locks.acquire('after')
  expect(again.token).toBeGreaterThan(first.token)
  await locks.close()
  expect(await leftAt(tiny)).toEqual({ ...nothing, connections: 1 })
  expect(unhandled).toEqual([])
})

async function adminOf({ url }: PostgresServer): Promise<Client> {
  const admin = new Client(url)
  admin.on('error', () => {})
  cleanup(() => admin.end())
  await admin.connect()
  return admin
}

/** How many names are locked: by a key of 64 bits each. */
async function namesLocked(admin: Client): Promise<number> {
  const { rowCount } = await admin.query(`SELECT FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1`)
  return rowCount ?? 0
}

test('use after use leaves nothing: no lock, no row, no connection', async () => {
  const managers: LockManager[] = await Promise.all([1, 2, 3].map(() => client()))
  for (let round = 0; round < 20; round++) {
    const uses = managers.flatMap((locks, at) => [
      locks.request('exclusive', () => {}),
      locks.request('shared', { mode: 'shared' }, () => {}),
      locks.acquire('permits', { permits: 2, weight: 1 + (at % 2) }).then((lock) => lock.release()),
      locks.acquire('given up', { timeout: 1 }).then(
        (lock) => lock.release(),
        () => {},
      ),
      locks.tryAcquire('tried').then((lock) => lock?.release()),
    ])
    await Promise.all(uses)
  }
  const [first] = managers
  expect(await first?.query()).toEqual({ held: [], pending: [] })
  // Nothing but the lock by which each is known to be alive.
  expect(await leftAt(server)).toEqual({ locks: 3, entries: 0, sessions: 3, connections: 6 })
  await Promise.all(managers.map((locks) => locks.close()))
  expect(await leftAt(server)).toEqual(nothing)
})
