import type { Lock } from '@locks/core'
import { encodeName } from '@locks/core/backend'
import { etcd } from '@locks/etcd'
import { startEtcd } from '@locks/testkit'
import { afterAll, expect, test } from 'vitest'
import { leftAt, open, queued, settled, takeAll, until } from './fixtures.ts'

const server = await startEtcd()
afterAll(() => server.end())

const ttl = 3_000
const client = (options = {}) => open(etcd({ url: server.url }), { ttl, ...options })

/** Whoever holds a name or waits for it. */
const entriesOf = (name: string) => server.keys(`locks/locks/${encodeName(name)}/`)

test('1,000 locks that are held and 1,000 that are waited for are one lease', async () => {
  const rival = await client({ ttl: 10_000 })
  const busy = Array.from({ length: 1_000 }, (_, at) => `busy ${at}`)
  const theirs = await takeAll(rival, busy)
  expect(await server.leases()).toHaveLength(1)
  const locks = await client({ ttl: 10_000 })
  const mine = await takeAll(
    locks,
    busy.map((name) => `my ${name}`),
  )
  const waiting = busy.map((name) => locks.acquire(name))
  await until('all wait', async () => (await locks.query()).pending.length === 1_000)
  expect(await server.leases()).toHaveLength(2)
  // Long enough for every lock to be renewed.
  const before = mine.map((lock) => lock.expiresAt)
  await until('all are renewed', () => mine.every((lock, at) => lock.expiresAt > (before[at] ?? 0)))
  expect(theirs.every((lock) => lock.held)).toBe(true)
  await rival.close()
  const granted = await Promise.all(waiting)
  expect(granted.filter((lock) => lock.held)).toHaveLength(1_000)
  expect(await server.leases()).toHaveLength(1)
  await locks.close()
  expect(await leftAt(server)).toEqual([])
})

test('closing leaves nothing at the server, whatever was held, waited for, or under way', async () => {
  const [locks, other] = [await client(), await client()]
  const lock = await locks.acquire('held')
  await locks.acquire('shared', { mode: 'shared' })
  await locks.acquire('permits', { permits: 5, weight: 2 })
  const kept = await other.acquire('theirs')
  const waiting = settled(locks.acquire('theirs'))
  const later = settled(other.acquire('held'))
  await queued(other, 'held', 1)
  const underWay = Array.from({ length: 50 }, (_, at) => settled(locks.acquire(`under way ${at}`)))
  await locks.close()
  expect((await later).value?.held).toBe(true)
  expect(lock.signal.aborted).toBe(true)
  await Promise.all([waiting, ...underWay])
  expect(await server.leases()).toHaveLength(1)
  const held = (await other.query()).held.map(({ name }) => name)
  expect(held.toSorted()).toEqual(['held', 'theirs'])
  await kept.release()
  await other.close()
  expect(await leftAt(server)).toEqual([])
})

test('no name waits for another that begins like it', async () => {
  const locks = await client()
  const names = ['foo', 'foo/bar', 'foo/', 'foo/bar/', 'foo/lock', 'foo/lock/1', '', '/', 'fo', 'foo~', '~', 'foo0']
  const all = await Promise.all(names.map((name) => locks.tryAcquire(name)))
  expect(all.map((lock) => lock?.held)).toEqual(names.map(() => true))
  for (const name of names) expect((await locks.query(name)).held.map((held) => held.name)).toEqual([name])
  await locks.close()
})

test('a lock whose key is deleted is lost within a third of the ttl and a second', async () => {
  const [locks, other] = [await client(), await client()]
  const lock = await locks.acquire('deleted')
  const kept = await locks.acquire('kept')
  const waiting = other.acquire('deleted')
  await queued(other, 'deleted', 1)
  const [key = ''] = (await entriesOf('deleted')).filter((each) => !each.includes('/2/'))
  expect(await server.ctl('del', key)).toBe('1')
  const told = await until('it is told', () => lock.signal.aborted)
  console.log(`told ${told.toFixed()} ms after its key was deleted, with a ttl of ${ttl} ms`)
  expect(told).toBeLessThan(ttl / 3 + 1_000)
  expect(lock.signal.reason).toMatchObject({ code: 'LOST' })
  expect((await waiting).token).toBeGreaterThan(lock.token)
  expect(kept.held).toBe(true)
  await Promise.all([locks.close(), other.close()])
})

test('the locks of a lease that is revoked are lost within a third of the ttl and a second, and its waiters wait on', async () => {
  const other = await client()
  const theirs = await other.acquire('theirs')
  const [others] = await server.leases()
  const locks = await client()
  const all = await Promise.all([1, 2, 3].map((at) => locks.acquire(`mine ${at}`)))
  const waiting = locks.acquire('theirs')
  await queued(other, 'theirs', 1)
  const [lease = ''] = (await server.leases()).filter((each) => each !== others)
  await server.ctl('lease', 'revoke', lease)
  const told = await until('it is told', () => all.every(({ signal }) => signal.aborted))
  console.log(`told ${told.toFixed()} ms after the lease was revoked, with a ttl of ${ttl} ms`)
  expect(told).toBeLessThan(ttl / 3 + 1_000)
  for (const lock of all) expect(lock.signal.reason).toMatchObject({ code: 'LOST' })
  expect(theirs.held).toBe(true)
  // It waits again under a new lease.
  await queued(other, 'theirs', 1)
  await theirs.release()
  expect((await waiting).held).toBe(true)
  await Promise.all([locks.close(), other.close()])
})

test('tokens rise in the order of the grants when thieves overtake those who wait', async () => {
  const [locks, thief] = [await client(), await client()]
  const tokens: bigint[] = []
  const first = await locks.acquire('stolen')
  tokens.push(first.token)
  const waiting: Promise<Lock>[] = []
  for (const client of [locks, thief]) {
    waiting.push(client.acquire('stolen'))
    await queued(locks, 'stolen', waiting.length)
  }
  const robbed = thief.request('stolen', { steal: true }, async (lock) => {
    tokens.push(lock.token)
    await until('the holder is told', () => first.signal.aborted)
    // Stolen in its turn, it ends by the error that says so.
    await locks.request('stolen', { steal: true }, async (next) => {
      tokens.push(next.token)
      await queued(locks, 'stolen', 2)
      // Or the callback of the robbed one may end before that hears of it, and then its result is the result.
      await until('the thief is told in its turn', () => lock.signal.aborted)
    })
  })
  await expect(robbed).rejects.toMatchObject({ name: 'AbortError' })
  for (const each of waiting) {
    const lock = await each
    tokens.push(lock.token)
    await lock.release()
  }
  expect(tokens).toEqual(tokens.toSorted((a, b) => Number(a - b)))
  expect(new Set(tokens).size).toBe(5)
  await Promise.all([locks.close(), thief.close()])
  expect(await leftAt(server)).toEqual([])
})
