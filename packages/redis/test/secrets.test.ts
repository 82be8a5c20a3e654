import { LockManager } from '@locks/core'
import { systemRandom, type Backend, type Random } from '@locks/core/backend'
import { adapter, redis } from '@locks/redis'
import { startProxy, startRedis, startSentinel, type Proxy, type ProxyLine, type RedisServer } from '@locks/testkit'
import { canary, Sightings } from '@locks/testkit/fixtures'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { cleanup, keyFor, namespace, open, rejection, request, until } from './support.ts'

const encoded = encodeURIComponent(canary)
const sightings = new Sightings()

let server: RedisServer
let admin: Redis
let proxy: Proxy
beforeAll(async () => {
  server = await startRedis({ users: ['default on >of-the-admin ~* &* +@all'] })
  admin = new Redis(server.url, { password: 'of-the-admin' })
  proxy = await startProxy()
})
afterAll(async () => {
  admin.disconnect()
  await Promise.all([server.end(), proxy.end()])
})

/** A user of this name, who has the canary as password. */
async function user(name: string, ...rule: string[]): Promise<void> {
  await admin.acl('SETUSER', name, 'reset', 'on', `>${canary}`, ...rule)
}

async function line(): Promise<ProxyLine> {
  const made = await proxy.line({ upstreams: [{ host: '127.0.0.1', port: server.port }], framing: 'resp' })
  cleanup(() => made.close())
  return made
}

const urlOf = (name: string, port = server.port) => `redis://${name}:${encoded}@127.0.0.1:${port}?restartGrace=false`

function managerOf(backend: Backend, options: { ttl?: number; random?: Random } = {}): LockManager {
  const locks = new LockManager(backend, { connectTimeout: 1_000, ttl: 1_000, ...options })
  cleanup(() => locks.close())
  sightings.note(backend, locks)
  return locks
}

/** All calls of a manager that fail, or do not. */
async function call(locks: LockManager): Promise<unknown[]> {
  const calls = [
    locks.connect(),
    locks.acquire('a', { timeout: 500 }),
    locks.tryAcquire('b'),
    locks.query('a'),
    locks.query(),
    locks.request('c', { signal: AbortSignal.timeout(500) }, () => {}),
  ]
  const outcomes = await Promise.allSettled(calls)
  const errors = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []))
  sightings.note(locks, ...errors)
  return errors
}

test('a wrong password is in nothing that can be seen', async () => {
  const errors = await call(managerOf(adapter.fromUrl(urlOf('nobody'))))
  expect(String(errors[0])).toContain('WRONGPASS')
  sightings.expectNone()
})

test.for([
  ['nothing', '+ping', '~none', '&none'],
  ['no scripts', '+@all', '-eval', '~*', '&*'],
  ['no hashes', '+@all', '-hset', '~*', '&*'],
  ['no keys', '+@all', '~none', '&*'],
  ['no channels', '+@all', '~*', '&none'],
] as const)('a password of a user who may do %s', async ([, ...rule]) => {
  await user('some', ...rule)
  const errors = await call(managerOf(redis({ url: urlOf('some') })))
  expect(errors.length).toBeGreaterThan(0)
  sightings.expectNone()
})

test('a password that a server does not want', async () => {
  const open = await startRedis()
  cleanup(() => open.end())
  expect(
    await call(managerOf(redis({ url: `redis://:${encoded}@127.0.0.1:${open.port}?restartGrace=false` }))),
  ).toEqual([])
  sightings.expectNone()
})

test('a password for a host that cannot be reached, or is unknown', async () => {
  const gone = await line()
  await gone.close()
  for (const host of [`127.0.0.1:${gone.ports[0]}`, 'host.invalid']) {
    const errors = await call(managerOf(redis({ url: `redis://u:${encoded}@${host}` })))
    expect(errors.length).toBeGreaterThan(0)
  }
  sightings.expectNone()
})

test('a password, while the server is silent, cut off, late, or breaks off in the middle', async () => {
  await user('able', '+@all', '~*', '&*')
  const wire = await line()
  const locks = managerOf(redis({ url: urlOf('able', wire.ports[0]) }))
  const lock = await locks.acquire('held')
  await wire.wire.dropAnswers()
  expect(await call(locks)).not.toEqual([])
  await until(() => !lock.held)
  await wire.wire.cut()
  expect(await call(locks)).not.toEqual([])
  await wire.wire.heal()
  await wire.wire.reconnect()
  await until(() => locks.tryAcquire('again').catch(() => null))
  await wire.cutInFrame()
  await call(locks)
  await wire.wire.silence()
  expect(await call(managerOf(redis({ url: urlOf('able', wire.ports[0]) })))).not.toEqual([])
  sightings.expectNone()
})

test('the password of a client that the application has', async () => {
  const client = new Redis({ host: '127.0.0.1', port: server.port, username: 'nobody', password: canary })
  cleanup(() => client.disconnect())
  client.on('error', () => {})
  const backend = redis({ client })
  const locks = new LockManager(backend, { connectTimeout: 300 })
  cleanup(() => locks.close())
  sightings.note(backend, await rejection(locks.connect()), await rejection(locks.tryAcquire('a')))
  sightings.expectNone()
})

test('the password of sentinels and of those that they name', async () => {
  const deployment = await startSentinel()
  cleanup(() => deployment.end())
  const [{ port }] = deployment.sentinels as [RedisServer]
  const sentinels = deployment.sentinels.map((each) => `127.0.0.1:${each.port}`).join()
  const query = `sentinelUsername=nobody&sentinelPassword=${encoded}`
  const urls = [
    // The sentinels do not know this user.
    `redis+sentinel://${sentinels}/${deployment.name}?${query}`,
    // The master does not.
    `redis+sentinel://nobody:${encoded}@${sentinels}/${deployment.name}`,
    `redis+sentinel://nobody:${encoded}@127.0.0.1:${port}/unknown`,
  ]
  for (const url of urls) expect(await call(managerOf(redis({ url })))).not.toEqual([])
  sightings.expectNone()
})

test('the password of a cluster', async () => {
  const errors = await call(managerOf(redis({ url: `redis+cluster://nobody:${encoded}@127.0.0.1:${server.port}` })))
  expect(errors.length).toBeGreaterThan(0)
  sightings.expectNone()
})

test("the owner's secret is in no error of a script", async () => {
  let drawn = 0
  const random: Random = { ...systemRandom, id: () => `${drawn++}${canary}` }
  const wire = await line()
  await user('able', '+@all', '~*', '&*')
  const backend = redis({ url: urlOf('able', wire.ports[0]) })
  const { session } = await open(backend)
  const claim = request('a', { id: canary.replaceAll(/[^A-Za-z]/g, '') })
  await session.acquire(claim)
  const failures: [string, () => Promise<unknown>, () => Promise<unknown>][] = [
    ['WRONGTYPE', () => admin.set(keyFor('b'), 'x'), () => admin.del(keyFor('b'))],
    ['OOM', () => admin.config('SET', 'maxmemory', 1), () => admin.config('SET', 'maxmemory', 0)],
    ['NOPERM', () => admin.acl('SETUSER', 'able', '-evalsha'), () => admin.acl('SETUSER', 'able', '+evalsha')],
    ['silence', () => wire.wire.dropAnswers(), () => wire.wire.heal()],
  ]
  const quick = await open(backend, { ttl: 1_000 })
  for (const [, fail, repair] of failures) {
    await fail()
    sightings.note(await rejection(quick.session.acquire({ ...claim, names: ['b'] })))
    await repair()
  }
  // What is on its way when the connection breaks.
  await wire.wire.delayAnswers()
  const before = await wire.wire.sent()
  const broken = rejection(session.acquire({ ...claim, id: `${claim.id}3`, names: ['b'] }))
  await until(async () => (await wire.wire.sent()) > before)
  await wire.reset()
  await wire.wire.heal()
  sightings.note(await broken)
  await until(() => session.query('b').catch(() => null))
  sightings.note(
    await rejection(session.acquire({ ...claim, id: `${claim.id}2`, mode: 'permit', permits: 3, weight: 1 })),
  )
  sightings.expectNone()
  // And through a manager.
  const locks = managerOf(redis({ url: urlOf('able') }), { random })
  await admin.hset(keyFor('x').replace(namespace, 'locks'), 'n', 'not a number')
  sightings.note(await locks.acquire('y'), await locks.query())
  sightings.note(await rejection(locks.acquire('x', { timeout: 300 })))
  expect(drawn).toBeGreaterThan(1)
  // The first is the manager's own, which everybody may know.
  sightings.expectNone(/[1-9]cAnArY/i)
})
