import { startRedis, type RedisServer } from '@locks/testkit'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { at, keyFor, open, request, take, until } from './support.ts'

/** What somebody does to the keys by hand, or time does to a queue, must cost that name at most. */
let server: RedisServer
let admin: Redis
beforeAll(async () => {
  server = await startRedis({ appendonly: true })
  admin = new Redis(server.url)
})
beforeEach(() => admin.flushall())
afterAll(async () => {
  admin.disconnect()
  await server.end()
})

const calls = async (command: string): Promise<number> =>
  Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(await admin.info('commandstats'))?.[1] ?? 0)

test('a key that holds something else costs the others of its batch nothing', async () => {
  const { session } = await open(at(server.url))
  const claims = ['a', 'b', 'c'].map((name) => request(name))
  for (const claim of claims) await take(session, claim)
  await admin.set(keyFor('b'), 'something else')
  const standings = await session.renew(claims)
  expect(claims.map(({ id }) => typeof standings.get(id))).toEqual(['object', 'undefined', 'object'])
  await session.close()
  for (const name of ['a', 'c']) expect(await admin.hkeys(keyFor(name))).toEqual(['t'])
})

test('those who have left a long queue are not counted through', async () => {
  const { session, granted } = await open(at(server.url))
  const [holder, next, last] = [request('a'), request('a'), request('a')]
  await take(session, holder)
  expect(await session.acquire(next)).toBe('queued')
  // As if a million had come after it, and gone.
  await admin.hset(keyFor('a'), 'q', 1_000_001)
  expect(await session.acquire(last)).toBe('queued')
  await session.remove(holder)
  const before = await calls('hget')
  await session.remove(next)
  expect((await calls('hget')) - before).toBeLessThan(100)
  expect(granted.map(({ id }) => id)).toEqual([next.id, last.id])
})

test('a queue that has lost fields by hand is put right by the next who looks', async () => {
  const { session, lost } = await open(at(server.url), { ttl: 1_000 })
  const [holder, waiter] = [request('a'), request('a')]
  await take(session, holder)
  expect(await session.acquire(waiter)).toBe('queued')
  await admin.hdel(keyFor('a'), '1', `#${waiter.id}`, `=${waiter.id}`, `@${waiter.id}`)
  expect(await session.remove(holder)).toBe(true)
  await take(session, request('a'))
  await until(() => lost.some(([id, how]) => id === waiter.id && how === 'gone'))
})
