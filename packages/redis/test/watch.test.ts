import type { Request, Session } from '@locks/core/backend'
import { startProxy, startRedis, type Proxy, type RedisServer } from '@locks/testkit'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { at, cleanup, client, keyFor, open, rejection, request, take, until } from './support.ts'

let server: RedisServer
let admin: Redis
let proxy: Proxy
beforeAll(async () => {
  server = await startRedis({ appendonly: true })
  admin = new Redis(server.url)
  proxy = await startProxy()
})
beforeEach(() => admin.flushall())
afterAll(async () => {
  admin.disconnect()
  await proxy.end()
  await server.end()
})

const counters = ['n', 'w', 'm', 'l', 'x', 'c', 'h', 'q']

/** Where those who watch a name are told. */
const channelOf = (name: string) => `locks:client:{test/${name}}`
const watched = async () => (await admin.pubsub('CHANNELS', channelOf('*'))) as string[]

const leader = (rest: Partial<Request> = {}) => request('a', { value: 'http://leader', ...rest })

const stats = async () => await admin.info('commandstats')
async function calls(command: string): Promise<number> {
  return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(await stats())?.[1] ?? 0)
}

async function watch(session: Session, name: string, changed: () => void): Promise<() => void> {
  const unwatch = await session.watch?.(name, changed)
  if (!unwatch) throw new Error('it does not watch')
  return unwatch
}

/** What all names' watchers are told, so that what is told too often is noticed. */
async function news(): Promise<() => Promise<string[]>> {
  const heard: string[] = []
  const listener = client(server.url)
  listener.on('pmessage', (_pattern: string, channel: string) => heard.push(channel))
  await listener.psubscribe('locks:client:{*', 'end')
  return async () => {
    await admin.publish('end', '')
    await until(() => heard.includes('end'))
    return heard.splice(0).filter((channel) => channel !== 'end')
  }
}

test('watchers of a name share a subscription, and the last gives it up', async () => {
  const { session } = await open(at(server.url))
  const before = await calls('subscribe')
  let [told, others] = [0, 0]
  const count = () => void told++
  const [first, second] = await Promise.all([watch(session, 'a', count), watch(session, 'a', count)])
  const third = await watch(session, 'a', count)
  await watch(session, 'b', () => others++)
  expect((await calls('subscribe')) - before).toBe(2)
  expect((await watched()).toSorted()).toEqual([channelOf('a'), channelOf('b')])

  const claim = leader()
  await take(session, claim)
  await until(() => told === 3)
  first()
  first()
  await session.remove(claim)
  await until(() => told === 5)
  second()
  expect(await watched()).toContain(channelOf('a'))
  third()
  await until(async () => (await watched()).length === 1)
  expect(await watched()).toEqual([channelOf('b')])

  // And anew, right after it was given up.
  const again = await watch(session, 'a', count)
  again()
  await watch(session, 'a', count)
  await take(session, leader())
  await until(() => told === 6)
  expect(others).toBe(0)
  await session.close()
  await until(async () => (await watched()).length === 0)
  expect(await admin.pubsub('CHANNELS', '*')).toEqual([])
})

test('each change of who leads is told once, and nothing else is', async () => {
  const [one, two] = [await open(at(server.url)), await open(at(server.url), { ttl: 1_000 })]
  const told = await news()
  const once = [channelOf('a')]
  const plain = request('a')
  await take(one.session, plain)
  const waiter = leader()
  expect(await two.session.acquire(waiter)).toBe('queued')
  expect(await one.session.acquire({ ...leader(), wait: false })).toBeNull()
  await one.session.renew([plain])
  await two.session.renew([waiter])
  expect(await told(), 'plain locks, who waits, who is refused, renewals').toEqual([])

  await one.session.remove(plain)
  expect(await told(), 'granted to who waits').toEqual(once)
  const next = leader()
  expect(await one.session.acquire(next)).toBe('queued')
  await two.session.remove(waiter)
  expect(await told(), 'handed over').toEqual(once)
  await take(two.session, leader({ steal: true }))
  expect(await told(), 'stolen').toEqual(once)
  expect((await one.session.renew([next])).get(next.id)).toBe('stolen')
  expect(await told(), 'the robbed learns it').toEqual([])

  await until(async () => (await one.session.query('a')).length === 0)
  expect(await told(), 'expired, and nobody knows').toEqual([])
  await take(one.session, request('a'))
  expect(await told(), 'an expiry that is found').toEqual(once)
})

test('what was deleted by hand is told when its owner finds out, and leaves nothing', async () => {
  const { session } = await open(at(server.url))
  for (const find of [
    async (claim: Request) => expect((await session.renew([claim])).get(claim.id)).toBe('gone'),
    async (claim: Request) => expect(await session.remove(claim)).toBe(false),
  ]) {
    const claim = leader()
    await take(session, claim)
    const told = await news()
    await admin.hdel(keyFor('a'), `#${claim.id}`, `=${claim.id}`, `@${claim.id}`, ...counters)
    await find(claim)
    expect(await told()).toEqual([channelOf('a')])
    expect(await admin.hkeys(keyFor('a'))).toEqual(['t'])
  }
})

test('a value is shown, expires with its claim, and is gone with it however that ends', async () => {
  const { session } = await open(at(server.url))
  const brief = await open(at(server.url), { ttl: 1_000 })
  const values = ['', ' ', '"1" \n 💡', 'x'.repeat(30_000)]
  const claims = values.map((value) => request('a', { value }))
  for (const claim of claims) await session.acquire(claim)
  // Asked for again, it is the same claim.
  await session.acquire({ ...(claims[1] as Request), value: 'another' })
  await session.acquire(request('a'))
  expect((await session.query('a')).map(({ value }) => value)).toEqual([...values, undefined])
  // Cancelled, stolen, released; the thief expires.
  await session.remove(claims[1] as Request)
  await take(brief.session, request('a', { steal: true, value: 'thief' }))
  expect((await session.query('a')).map(({ value }) => value)).toEqual(['thief', '"1" \n 💡', values[3], undefined])
  await session.remove(claims[2] as Request)
  await until(async () => (await session.query('a')).every(({ value }) => value !== 'thief'))
  await session.close()
  const { session: next } = await open(at(server.url))
  const last = request('a')
  await take(next, last)
  await next.remove(last)
  expect(await admin.hkeys(keyFor('a'))).toEqual(['t'])
})

test('a connection that is made anew tells all watchers, and hears again', async () => {
  const { session } = await open(at(server.url))
  const told = { a: 0, b: 0 }
  await watch(session, 'a', () => told.a++)
  const given = await watch(session, 'b', () => told.b++)
  for (let round = 1; round <= 3; round++) {
    const before = { ...told }
    await admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub')
    await until(() => told.a > before.a && told.b > before.b)
    const claim = leader()
    await take(session, claim)
    await until(() => told.a === before.a + 2)
    await session.remove(claim)
    await until(() => told.a === before.a + 3)
    expect(told.b).toBe(before.b + 1)
  }
  // What is given up while there is no connection is not subscribed to by the next.
  await admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub')
  given()
  const { a } = told
  await until(() => told.a > a)
  expect(await watched()).toEqual([channelOf('a')])
})

test('what cannot be watched is refused for now, and leaves no watcher', async () => {
  const line = await proxy.line({ upstreams: [{ host: '127.0.0.1', port: server.port }], framing: 'resp' })
  cleanup(() => line.close())
  const { session } = await open(at(`redis://127.0.0.1:${line.ports[0]}`))
  let told = 0
  await line.wire.cut()
  await until(async () => (await admin.pubsub('CHANNELS', '*')).length === 0)
  const refused = await rejection(watch(session, 'a', () => told++))
  expect(refused).toMatchObject({ temporary: true })
  await line.wire.heal()
  await until(async () => (await admin.pubsub('CHANNELS', 'locks:client:*')).length === 1)
  expect(await watched()).toEqual([])
  await watch(session, 'a', () => told++)
  await until(() => session.query('a').then(Boolean, () => false))
  await take(session, leader())
  await until(() => told === 1)
  await session.close()
  expect(await rejection(watch(session, 'a', () => {}))).toMatchObject({ temporary: true })
})

test.for([
  ['long', 'n'.repeat(300), {}],
  ['under another prefix', 'a', { prefix: 'app:locks' }],
] as const)('a name that is %s can be watched', async ([, name, options]) => {
  const { session } = await open(at(server.url, options))
  let told = 0
  await watch(session, name, () => told++)
  await take(session, request(name, { value: 'led' }))
  await until(() => told === 1)
})

test('a claim without a value costs no command more than before', async () => {
  const { session } = await open(at(server.url))
  const cycle = async () => {
    const claim = request('a')
    await take(session, claim)
    expect(await admin.hkeys(keyFor('a'))).toHaveLength(5)
    await session.remove(claim)
  }
  await cycle()
  await admin.config('RESETSTAT')
  await cycle()
  const counts = [...(await stats()).matchAll(/^cmdstat_(\w+):calls=(\d+)/gm)].map(([, name, count]) => [name, count])
  const { evalsha, time, hmget, hset, pexpire, hdel, publish } = Object.fromEntries(counts)
  expect({ evalsha, time, hmget, hset, pexpire, hdel, publish }).toEqual({
    evalsha: '2',
    time: '1',
    hmget: '2',
    hset: '1',
    pexpire: '1',
    hdel: '1',
    publish: undefined,
  })
})
