import { LockManager } from '@locks/core'
import { systemClock } from '@locks/core/backend'
import { redis } from '@locks/redis'
import type { RedisServer } from '@locks/testkit'
import type { Redis } from 'ioredis'
import { expect, test } from 'vitest'
import { at, cleanup, client, keyFor, open, rejection, request, server, take, until } from './support.ts'

const usage = async (admin: Redis, key: string) => Number(await admin.memory('USAGE', key, 'SAMPLES', 0))

async function usedMemory(admin: Redis): Promise<number> {
  return Number(/used_memory_dataset:(\d+)/.exec(await admin.info('memory'))?.[1])
}

test('what stays of a name that nobody uses is a small hash with its last token, and it expires', async () => {
  const { url } = await server()
  const admin = client(url)
  const { session } = await open(at(url))
  // As it is used by one alone, and by many in all the ways there are.
  const alone = request('a'.repeat(20))
  await take(session, alone)
  await session.remove(alone)
  const many = [
    request('b'),
    request('b', { steal: true }),
    ...Array.from({ length: 20 }, () => request('b', { mode: 'shared' })),
    request('b', { steal: true }),
  ]
  for (const each of many) await session.acquire(each)
  expect(await admin.hlen(keyFor('b'))).toBeGreaterThan(60)
  for (const each of many) await session.remove(each)
  // And when holders and waiters leave together.
  const crowd = await open(at(url))
  for (let i = 0; i < 4; i++) await crowd.session.acquire(request('d'))
  await crowd.session.close()
  const long = request('c'.repeat(200))
  await take(session, long)
  await session.remove(long)
  const keys = await admin.keys('*')
  expect(keys.filter((key) => !key.endsWith('~}'))).toHaveLength(4)
  for (const key of keys.filter((each) => !each.endsWith('~}'))) {
    expect(await admin.hkeys(key)).toEqual(['t'])
    // A name with a long encoding has had that beside its key, and the server keeps the form of a larger hash.
    const isLong = (await admin.object('ENCODING', key)) === 'hashtable'
    expect(isLong).toBe(key.includes('/_h'))
    expect(await usage(admin, key)).toBeLessThan(isLong ? 400 : 200)
  }
  expect(await admin.object('ENCODING', keyFor('a'.repeat(20)))).toMatch(/listpack|ziplist/)
  for (const key of keys) expect(await admin.pttl(key)).toBeGreaterThan(0)
  expect(await admin.pttl(keyFor('b'))).toBeGreaterThan(86_000_000)
})

test('nothing is left once a last token need not be remembered any more', async () => {
  const { url } = await server()
  const admin = client(url)
  const { session } = await open(at(url, { remember: 1_000 }), { ttl: 1_000 })
  const claims = [
    request('a'),
    request('b', { mode: 'shared' }),
    request('c', { mode: 'permit', permits: 2, weight: 1 }),
  ]
  for (const claim of claims) await take(session, claim)
  for (const claim of claims) await session.remove(claim)
  expect(await admin.dbsize()).toBeGreaterThanOrEqual(3)
  await until(async () => (await admin.dbsize()) === 0)
})

test('a key outlives what is in it, however little is remembered', async () => {
  const { url } = await server()
  const admin = client(url)
  const { session } = await open(at(url, { remember: 1_000 }), { ttl: 60_000 })
  await take(session, request('a'))
  expect(await admin.pttl(keyFor('a'))).toBeGreaterThan(59_000)
  // Also if somebody else there has a shorter ttl.
  const short = await open(at(url, { remember: 1_000 }), { ttl: 1_000 })
  const waiting = request('a')
  expect(await short.session.acquire(waiting)).toBe('queued')
  await short.session.renew([waiting])
  expect(await admin.pttl(keyFor('a'))).toBeGreaterThan(50_000)
})

test('use after use leaves as much as the names need', async () => {
  const { url } = await server()
  const admin = client(url)
  const locks = new LockManager(redis({ url, restartGrace: false }))
  cleanup(() => locks.close())
  const cycles = (count: number) =>
    Promise.all(
      Array.from({ length: 20 }, async (_, name) => {
        for (let i = 0; i < count / 20; i++) await (await locks.acquire(`name ${name}`)).release()
      }),
    )
  await cycles(200)
  await until(async () => (await admin.keys('locks:{*')).length === 20)
  const before = await usedMemory(admin)
  await cycles(2_000)
  await until(async () => (await locks.query()).held.length === 0)
  expect((await admin.keys('locks:{*')).filter((key) => !key.endsWith('~}'))).toHaveLength(20)
  expect(await usedMemory(admin)).toBeLessThan(before * 1.5 + 100_000)
  for (const key of await admin.keys('*')) expect(await usage(admin, key)).toBeLessThan(200)
})

test('what the dead leave expires as a whole', async () => {
  const started = await server()
  const admin = client(started.url)
  // The second of them waits for the first, on connections that are cut and never closed.
  const dead = await open(at(started.url), { ttl: 1_000 })
  const names = ['a', 'b', 'c']
  for (const name of names) await take(dead.session, request(name))
  for (const name of names) expect(await dead.session.acquire(request(name))).toBe('queued')
  await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
  await admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub')
  for (const name of names) expect(await admin.pttl(keyFor(name))).toBeGreaterThan(0)
  // The next one clears them away, and leaves no more than anybody.
  const { session } = await open(at(started.url), { ttl: 1_000 })
  for (const name of names) {
    const claim = request(name)
    await until(async () => (await session.acquire({ ...claim, wait: false })) !== null)
    await session.remove(claim)
    expect(await admin.hkeys(keyFor(name))).toEqual(['t'])
  }
})

test.for([
  ['long', 'n'.repeat(10_000)],
  ['as long as a name may be', 'é'.repeat(65_536)],
  ['with braces', 'a}{b}{'],
  ['with what patterns are made of', '*?[a]\\'],
  ['with a separator', 'a/b:c d'],
  ['of other letters', 'Ĳssel 日本 😀'],
  ['of half a letter', '\ud83d'],
  ['of nothing', ''],
] as const)('a name can be %s', async ([, name]) => {
  const { url } = await server()
  const locks = new LockManager(redis({ url, restartGrace: false }), { namespace: '{n}/*', owner: 'ö w' })
  cleanup(() => locks.close())
  const lock = await locks.acquire(name)
  const waiting = locks.acquire(name)
  waiting.catch(() => {})
  const info = { name, mode: 'exclusive', owner: 'ö w' }
  await until(async () => (await locks.query(name)).pending.length === 1)
  expect((await locks.query()).held).toMatchObject([info])
  expect((await locks.query()).pending).toMatchObject([info])
  expect(await locks.tryAcquire(`b${name.slice(1)}`)).not.toBeNull()
  await lock.release()
  expect((await waiting).token).toBeGreaterThan(lock.token)
  // Of many long names, each has a short key.
  for (const key of await client(url).keys('*')) expect(key.length).toBeLessThan(400)
})

test('the names of one namespace are not listed in another', async () => {
  const { url } = await server()
  const managers = ['a', 'a/b', '*', 'a}'].map((namespace) => {
    const locks = new LockManager(redis({ url, restartGrace: false }), { namespace })
    cleanup(() => locks.close())
    return locks
  })
  for (const locks of managers) await locks.acquire('x')
  for (const locks of managers) expect((await locks.query()).held).toHaveLength(1)
})

/** Leaves no room for anything new; until it is called. */
async function full(started: RedisServer): Promise<() => Promise<unknown>> {
  await started.cli('CONFIG', 'SET', 'maxmemory', '1')
  return () => started.cli('CONFIG', 'SET', 'maxmemory', '0')
}

test('without memory nothing new is granted, and what is held is kept, renewed, handed on and released', async () => {
  const started = await server()
  const ttl = 1_500
  const holder = await open(at(started.url), { ttl })
  const waiter = await open(at(started.url), { ttl })
  const [held, next, shared] = [request('a'), request('a'), request('s', { mode: 'shared' })]
  await take(holder.session, held)
  const token = await take(holder.session, shared)
  expect(await waiter.session.acquire(next)).toBe('queued')
  const room = await full(started)

  const wishes = { new: request('new'), queue: request('a'), share: request('s', { mode: 'shared' }) }
  for (const [wish, each] of Object.entries(wishes)) {
    const error = await rejection(waiter.session.acquire(each).then(() => expect.fail(wish)))
    expect(error).toMatchObject({ code: 'UNAVAILABLE', temporary: true })
    expect(error.message).toContain('it has no memory left (maxmemory)')
  }

  // For longer than anything is kept that is not renewed.
  const start = systemClock.now().mono
  while (systemClock.now().mono - start < 1.5 * ttl) {
    const renewed = await holder.session.renew([held, shared])
    expect(renewed.get(shared.id)).toMatchObject({ tokens: [token] })
    expect(renewed.get(held.id)).toHaveProperty('tokens')
    expect((await waiter.session.renew([next])).get(next.id)).toHaveProperty('ttl')
    await new Promise((resolve) => setTimeout(resolve, ttl / 10))
  }

  expect(await holder.session.remove(held)).toBe(true)
  await until(() => waiter.granted.length === 1)
  expect(waiter.granted[0]).toMatchObject({ id: next.id })
  expect(await waiter.session.remove(next)).toBe(true)
  expect(await holder.session.remove(shared)).toBe(true)
  expect(await holder.session.query('a')).toEqual([])
  await room()
  await take(holder.session, request('new'))
})

test('a manager keeps its locks while there is no memory, and gets new ones when there is', async () => {
  const started = await server()
  const ttl = 3_000
  const locks = new LockManager(redis({ url: started.url, restartGrace: false }), { ttl, connectTimeout: 300 })
  cleanup(() => locks.close())
  const lock = await locks.acquire('a')
  const room = await full(started)
  const waiting = locks.acquire('b')
  waiting.catch(() => {})
  const error = await rejection(locks.tryAcquire('c'))
  expect(error).toMatchObject({ code: 'UNAVAILABLE', temporary: true })
  expect(error.message).toContain('memory')
  const { expiresAt } = lock
  await until(() => !lock.held || lock.expiresAt > expiresAt + ttl)
  expect(lock.held).toBe(true)
  await room()
  expect((await waiting).held).toBe(true)
})
