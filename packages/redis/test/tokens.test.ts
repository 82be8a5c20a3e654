import { LockManager } from '@locks/core'
import { tokenSpacing } from '@locks/core/backend'
import { redis } from '@locks/redis'
import type { RedisServer } from '@locks/testkit'
import { expect, test } from 'vitest'
import { at, cleanup, client, keyFor, open, rejection, request, server, take, tokenOf, until } from './support.ts'

function locksOn({ url }: RedisServer, ttl: number, restartGrace = true, connectTimeout = 5_000): LockManager {
  const locks = new LockManager(redis({ url, restartGrace }), { ttl, connectTimeout })
  cleanup(() => locks.close())
  return locks
}

test('tokens rise from use to use, however often and by whom', async () => {
  const { url } = await server()
  const sessions = [(await open(at(url))).session, (await open(at(url))).session]
  const tokens: bigint[] = []
  for (let i = 0; i < 200; i++) {
    const session = sessions[i % 2] ?? expect.fail()
    const claim = request('a')
    tokens.push(await take(session, claim))
    await session.remove(claim)
  }
  tokens.slice(1).forEach((token, i) => expect(token).toBeGreaterThan(tokens[i] ?? 0n))
})

test('those who share a lock have tokens of their own', async () => {
  const { url } = await server()
  const { session } = await open(at(url))
  const readers = Array.from({ length: 500 }, () => request('a', { mode: 'shared' }))
  const tokens = await Promise.all(readers.map((reader) => take(session, reader)))
  tokens.slice(1).forEach((token, i) => expect(token).toBeGreaterThan(tokens[i] ?? 0n))
})

test('tokens rise when everything has been deleted', async () => {
  const { url } = await server()
  const { session } = await open(at(url))
  const before = await take(session, request('a'))
  await client(url).flushall()
  expect(await take(session, request('a'))).toBeGreaterThan(before)
})

test('tokens rise when the server has been killed and has kept nothing', async () => {
  const started = await server()
  const first = await open(at(started.url))
  const before = await take(first.session, request('a'))
  await started.restart()
  expect(await client(started.url).dbsize()).toBe(0)
  const second = await open(at(started.url))
  expect(await take(second.session, request('a'))).toBeGreaterThan(before)
})

test('a thief is before those whom it overtakes, and after those whom it robs', async () => {
  const { url } = await server()
  const robbed = await open(at(url))
  const waiting = await open(at(url))
  const thief = await open(at(url))
  const victim = await take(robbed.session, request('a'))
  expect(await waiting.session.acquire(request('a'))).toBe('queued')
  expect(await waiting.session.acquire(request('a', { mode: 'shared' }))).toBe('queued')
  const theft = request('a', { steal: true })
  const stolen = await take(thief.session, theft)
  expect(stolen).toBeGreaterThan(victim)
  await thief.session.remove(theft)
  const [next] = await until(() => waiting.granted.length === 1 && waiting.granted)
  expect(tokenOf(next)).toBeGreaterThan(stolen)
  await waiting.session.remove({ id: next?.id ?? '', names: ['a'] })
  await until(() => waiting.granted.length === 2)
  expect(tokenOf(waiting.granted[1])).toBeGreaterThan(tokenOf(next))
})

const future = 4_102_444_800_000_000n
const spacing = BigInt(tokenSpacing)

test('tokens rise by their spacing when the last one is ahead of the clock', async () => {
  const { url } = await server()
  const { session } = await open(at(url))
  const { session: other, granted } = await open(at(url))
  await client(url).hset(keyFor('a'), 't', String(future))
  const first = request('a')
  expect(await take(session, first)).toBe(future + spacing)
  // And in all the other ways in which one is minted: by who leaves, with others, by force, for part of a limit.
  const [second, third] = [request('a', { mode: 'shared' }), request('a', { mode: 'shared' })]
  expect(await other.acquire(second)).toBe('queued')
  expect(await other.acquire(third)).toBe('queued')
  await session.remove(first)
  await until(() => granted.length === 2)
  expect(granted.map(tokenOf)).toEqual([future + 2n * spacing, future + 3n * spacing])
  const thief = request('a', { steal: true })
  expect(await take(session, thief)).toBe(future + 4n * spacing)
  await session.remove(thief)
  expect(await take(session, request('a', { mode: 'permit', permits: 2, weight: 1 }))).toBe(future + 5n * spacing)
  expect(await client(url).hget(keyFor('a'), 't')).toBe(String(future + 5n * spacing))
})

test('tokens rise above one that the name is raised to, and are not lowered by a smaller one', async () => {
  const { url } = await server()
  const { session } = await open(at(url))
  const claim = request('a')
  await take(session, claim)
  await session.raise?.('a', future)
  await session.raise?.('a', 1n)
  expect((await session.renew([claim])).get(claim.id)).toMatchObject({ tokens: [expect.any(BigInt)] })
  await session.remove(claim)
  expect(await take(session, request('a'))).toBe(future + spacing)
  expect(await client(url).pttl(keyFor('a'))).toBeGreaterThan(0)
  await expect(session.raise?.('a', 2n ** 53n)).rejects.toMatchObject({ code: 'UNSUPPORTED' })
})

test('what is said of a token later is the token', async () => {
  const { url } = await server()
  const { session } = await open(at(url))
  await client(url).hset(keyFor('a'), 't', String(future))
  const claim = request('a')
  const token = await take(session, claim)
  expect(await take(session, claim)).toBe(token)
  expect((await session.renew([claim])).get(claim.id)).toMatchObject({ tokens: [token] })
  expect(await session.query('a')).toMatchObject([{ token }])
})

test.for([0, 850])(
  'a restart that may have forgotten locks, %i ms into a second: granted once they are over',
  async (phase) => {
    const started = await server()
    const ttl = 2_000
    const locks = locksOn(started, ttl)
    const eager = locksOn(started, ttl, true, 50)
    await locks.connect()
    const holder = locksOn(started, ttl, false)
    // Late in a second as well: the server counts its uptime by the seconds that its clock has begun.
    await until(() => Date.now() % 1_000 >= phase)
    const lock = await holder.acquire('a')
    await started.restart()
    const { expiresAt } = lock
    const waiting = locks.acquire('b')
    waiting.catch(() => {})
    const next = await until(() => eager.tryAcquire('a').catch(() => null))
    expect(performance.now()).toBeGreaterThan(expiresAt)
    expect(next.token).toBeGreaterThan(lock.token)
    expect((await waiting).held).toBe(true)
  },
)

test('who does not wait is told that the server may have forgotten locks', async () => {
  const started = await server()
  const locks = locksOn(started, 10_000, true, 200)
  const error = await rejection(locks.tryAcquire('a'))
  expect(error).toMatchObject({ code: 'UNAVAILABLE', temporary: true })
  expect(error.message).toMatch(/started less than a ttl ago and keeps nothing on disk.*nothing is granted yet/)
})

test('a server with an append-only file grants at once after a restart, and knows what was held', async () => {
  const started = await server({ appendonly: true })
  const ttl = 60_000
  const lock = await locksOn(started, ttl).acquire('a')
  await started.restart()
  const locks = locksOn(started, ttl)
  expect(await locks.tryAcquire('a')).toBeNull()
  expect((await locks.tryAcquire('b'))?.token).toBeGreaterThan(lock.token)
  // Its connection may still be on its way back: the removal follows then.
  expect(await lock.release()).toBe('released')
  expect((await locks.acquire('a')).token).toBeGreaterThan(lock.token)
})

test('restartGrace: false grants at once', async () => {
  const started = await server()
  await started.restart()
  const locks = locksOn(started, 60_000, false)
  expect(await locks.tryAcquire('a')).not.toBeNull()
})
