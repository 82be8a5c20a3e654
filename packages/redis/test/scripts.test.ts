import { LockManager } from '@locks/core'
import { redis } from '@locks/redis'
import { startRedis, type RedisServer } from '@locks/testkit'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { at, cleanup, client, open, rejection, request, take, until } from './support.ts'

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

function manager(ttl = 10_000): LockManager {
  const locks = new LockManager(redis({ url: server.url }), { ttl })
  cleanup(() => locks.close())
  return locks
}

const evaluations = async () => Number(/cmdstat_eval:calls=(\d+)/.exec(await admin.info('commandstats'))?.[1] ?? 0)
const listeners = async () =>
  String(await admin.call('CLIENT', 'LIST', 'TYPE', 'pubsub'))
    .trim()
    .split('\n').length

test('scripts are sent once, and then called by name', async () => {
  const locks = manager()
  await locks.connect()
  const before = await evaluations()
  for (let i = 0; i < 10; i++) {
    const lock = await locks.acquire('a')
    await locks.query('a')
    await lock.release()
  }
  await until(async () => (await locks.query('a')).held.length === 0)
  expect(await evaluations()).toBe(before)
})

test('a server that forgets its scripts is not noticed by anybody', async () => {
  const locks = manager()
  for (let i = 0; i < 20; i++) {
    const lock = await locks.acquire('a')
    await admin.script('FLUSH')
    const waiting = [locks.acquire('a'), locks.acquire('a')]
    await admin.script('FLUSH')
    await until(async () => (await locks.query('a')).pending.length === 2)
    await admin.script('FLUSH')
    expect(await lock.release()).toBe('released')
    for (const next of waiting) {
      const following = await next
      await admin.script('FLUSH')
      expect(await following.release()).toBe('released')
    }
  }
})

test('a server that forgets its scripts keeps what is held, and renews it', async () => {
  const ttl = 1_000
  const locks = manager(ttl)
  const lock = await locks.acquire('a')
  const { expiresAt } = lock
  await until(async () => {
    await admin.script('FLUSH')
    return lock.expiresAt > expiresAt + 2 * ttl
  })
  expect(lock.held).toBe(true)
})

test('with replicas to wait for, a server that forgets its scripts is not noticed either', async () => {
  const replica = await startRedis({ config: { replicaof: `127.0.0.1 ${server.port}` } })
  cleanup(() => replica.end())
  await until(async () => (await replica.cli('INFO', 'replication')).includes('master_link_status:up'))
  const { session } = await open(at(server.url, { acknowledge: 1, acknowledgeTimeout: 3_000 }))
  for (let i = 0; i < 3; i++) {
    await admin.script('FLUSH')
    const claim = request('a')
    await take(session, claim)
    await admin.script('FLUSH')
    expect((await session.renew([claim])).get(claim.id)).toHaveProperty('tokens')
    await admin.script('FLUSH')
    expect(await session.remove(claim)).toBe(true)
  }
})

test('messages that are lost, time and again, cost less than a ttl', async () => {
  const ttl = 20_000
  const [holder, waiter] = [manager(ttl), manager(ttl)]
  await Promise.all([holder.connect(), waiter.connect()])
  for (let i = 0; i < 10; i++) {
    const lock = await holder.acquire('a')
    const waiting = waiter.acquire('a')
    await until(async () => (await holder.query('a')).pending.length === 1)
    await admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub')
    // Its message goes to nobody.
    const start = performance.now()
    await lock.release()
    const next = await waiting
    expect((performance.now() - start) / ttl).toBeLessThan(0.1)
    await next.release()
  }
  await until(async () => (await listeners()) >= 2)
})

test('those whose connections are killed lose nothing', async () => {
  const ttl = 1_500
  const [one, two] = [manager(ttl), manager(ttl)]
  const lost: unknown[] = []
  const lock = await one.acquire('a')
  lock.signal.addEventListener('abort', () => lost.push(lock.signal.reason))
  const waiting = two.acquire('a')
  await until(async () => (await two.query('a')).pending.length === 1)
  const { expiresAt } = lock
  const kill = async (type: string) => admin.call('CLIENT', 'KILL', 'TYPE', type, 'SKIPME', 'yes')
  await until(async () => {
    await Promise.all([kill('normal'), kill('pubsub')])
    // Long enough to connect and to say one thing.
    await new Promise((resolve) => setTimeout(resolve, ttl / 10))
    return lock.expiresAt > expiresAt + 2 * ttl
  })
  expect(lost).toEqual([])
  expect(lock.held).toBe(true)
  expect(await lock.release()).toBe('released')
  expect((await waiting).token).toBeGreaterThan(lock.token)
})

test('calls that are on their way when the connection is killed take effect once', async () => {
  const locks = manager()
  await locks.connect()
  for (let i = 0; i < 10; i++) {
    const calls = Array.from({ length: 20 }, (_, name) => locks.acquire(`${name}`))
    await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    const granted = await Promise.all(calls)
    expect(granted.every(({ held }) => held)).toBe(true)
    await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    expect(await Promise.all(granted.map((lock) => lock.release()))).toEqual(granted.map(() => 'released'))
    await until(async () => (await locks.query()).held.length === 0)
  }
})

test('what the server refuses for want of replicas is refused for now, by its name', async () => {
  const ttl = 1_000
  const { session, lost } = await open(at(server.url), { ttl })
  const locks = manager(ttl)
  const held = request('held')
  await take(session, held)
  await admin.config('SET', 'min-replicas-to-write', 1)
  cleanup(() => admin.config('SET', 'min-replicas-to-write', 0))
  const refusals = [
    session.acquire(request('a')),
    session.acquire(request('held')),
    session.renew([held]),
    session.remove(held),
  ]
  for (const refusal of refusals) {
    const error = await rejection(refusal)
    expect(error).toMatchObject({ code: 'UNAVAILABLE', temporary: true })
    expect(error.message).toContain('too few replicas (min-replicas-to-write) (NOREPLICAS)')
  }
  const waiting = locks.acquire('a')
  await admin.config('SET', 'min-replicas-to-write', 0)
  expect((await waiting).held).toBe(true)
  expect(await session.query('held')).toHaveLength(1)
  expect(await session.remove(held)).toBe(true)
  expect(lost).toEqual([])
})

test('a script of somebody else that does not end is waited for', async () => {
  const { session } = await open(at(server.url))
  await admin.config('SET', 'busy-reply-threshold', 50)
  cleanup(() => admin.config('SET', 'busy-reply-threshold', 5_000))
  const endless = client(server.url)
    .eval('while true do end', 0)
    .catch(() => 'killed')
  await until(() =>
    admin.ping().then(
      () => false,
      () => true,
    ),
  )
  const error = await rejection(session.acquire(request('a')))
  expect(error).toMatchObject({ code: 'UNAVAILABLE', temporary: true })
  expect(error.message).toContain('it is busy with a script (BUSY)')
  await until(() =>
    admin.script('KILL').then(
      () => true,
      () => false,
    ),
  )
  expect(await endless).toBe('killed')
  await take(session, request('a'))
})

test('a key that somebody else has made is an error that says so, and is left as it was', async () => {
  const { session } = await open(at(server.url))
  await admin.set('locks:{test/a}', 'theirs')
  const error = await rejection(session.acquire(request('a')))
  expect(error).toMatchObject({ code: 'UNAVAILABLE', temporary: false })
  expect(error.message).toContain('somebody else has a key there; choose another prefix (WRONGTYPE)')
  expect(await admin.get('locks:{test/a}')).toBe('theirs')
  await take(session, request('b'))
})
