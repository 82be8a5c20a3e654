import { subscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { LockError } from '@locks/core'
import { etcd, type EtcdOptions } from '@locks/etcd'
import { startEtcd, startEtcdCluster, startProxy, type EtcdServer } from '@locks/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { cleanup, open, settled, until, urlOf } from './fixtures.ts'

let guarded: EtcdServer
let plain: EtcdServer
beforeAll(async () => {
  const users = [
    { name: 'app', password: 'right', permissions: [{ access: 'readwrite', prefix: 'locks/' }] },
    { name: 'reader', password: 'right', permissions: [{ access: 'read', prefix: 'locks/' }] },
    { name: 'stranger', password: 'right', permissions: [{ access: 'readwrite', prefix: 'other/' }] },
  ] as const
  ;[guarded, plain] = await Promise.all([startEtcd({ users }), startEtcd()])
})
afterAll(() => Promise.all([guarded.end(), plain.end()]))

const warnings: { code: string; message: string }[] = []
subscribe('locks:warning', (warning) => warnings.push(warning as { code: string; message: string }))

async function refusal(options: EtcdOptions, ttl = 5_000): Promise<LockError> {
  const { error } = await settled(open(etcd(options), { ttl, connectTimeout: 2_000 }))
  const found = LockError.find(error)
  if (!found) throw new Error('it was not refused', { cause: error })
  return found
}

test.for([
  ['a wrong password', 'app:wrong@', 'it does not know this user and password'],
  ['an unknown user', 'nobody:right@', 'it does not know this user and password'],
  ['no user', '', 'it wants a user and a password'],
  ['a user who may only read', 'reader:right@', 'the user may not do this'],
  ["a user of others' keys", 'stranger:right@', 'the user may not do this'],
] as const)('%s: refused for good', async ([, userinfo, message]) => {
  const error = await refusal({ url: `etcd://${userinfo}127.0.0.1:${guarded.port}` })
  expect(error).toMatchObject({ code: 'UNAVAILABLE', temporary: false })
  expect(error.message).toContain(message)
  expect(await guarded.leases()).toEqual([])
})

test('a server that is not there, is unknown, or speaks no TLS: where to look', async () => {
  const of = async (url: string) => (await refusal({ url })).message
  expect(await of('etcd://127.0.0.1:1')).toMatch(/cannot be reached: ECONNREFUSED: nothing listens there/)
  expect(await of('etcd://nowhere.invalid')).toMatch(/cannot be reached: .*host and port right/)
  expect(await of(`etcds://127.0.0.1:${plain.port}`)).toMatch(/TLS \(etcds:\) or not \(etcd:\)/)
})

test('a server that hangs up: where to look', async () => {
  const rude = createServer((socket) => socket.resetAndDestroy()).listen(0, '127.0.0.1')
  cleanup(() => rude.close())
  await once(rude, 'listening')
  const { message } = await refusal({ url: `etcds://127.0.0.1:${(rude.address() as AddressInfo).port}` })
  expect(message).toMatch(/ECONNRESET: .*TLS \(etcds:\) or not \(etcd:\)/)
})

test('a user and a password for a server that wants none are refused for good', async () => {
  const error = await refusal({ url: `etcd://app:right@127.0.0.1:${plain.port}` })
  expect(error).toMatchObject({ temporary: false })
  expect(error.message).toContain('authentication off')
})

test('the user is let in, and to the keys of another prefix as well if that is its own', async () => {
  const url = `etcd://app:right@127.0.0.1:${guarded.port}`
  const locks = await open(etcd({ url }))
  await (await locks.acquire('name')).release()
  const other = await open(etcd({ url: `etcd://stranger:right@127.0.0.1:${guarded.port}?prefix=other/locks` }))
  const lock = await other.acquire('name')
  expect(await guarded.keys('other/locks/')).not.toEqual([])
  await lock.release()
})

test('a session outlives the tokens of its user, and a change of the users', async () => {
  const server = await startEtcd({
    users: [{ name: 'app', password: 'right', permissions: [{ access: 'readwrite', prefix: 'locks/' }] }],
    flags: ['--auth-token-ttl=1'],
  })
  cleanup(() => server.end())
  const locks = await open(etcd({ url: `etcd://app:right@127.0.0.1:${server.port}` }), { ttl: 3_000 })
  const lock = await locks.acquire('kept')
  await server.ctl('user', 'add', 'more:right')
  const renewals = [lock.expiresAt]
  while (renewals.length < 5) {
    await new Promise((resolve) => setTimeout(resolve, 100))
    if (lock.expiresAt > (renewals.at(-1) ?? 0)) renewals.push(lock.expiresAt)
    lock.assertHeld()
  }
  await (await locks.acquire('another')).release()
  await expect(lock.release()).resolves.toBe('released')
})

test('a server that is too old is refused', async () => {
  const proxy = await startProxy()
  cleanup(() => proxy.end())
  const through = async (version: string) => {
    const line = await proxy.line({ upstreams: [{ host: '127.0.0.1', port: plain.port }], framing: 'grpc' })
    await line.rewrite('3.4.23', version)
    return urlOf(...line.ports)
  }
  const error = await refusal({ url: await through('3.3.27') })
  expect(error).toMatchObject({ code: 'UNSUPPORTED', temporary: false })
  expect(error.message).toBe('the etcd server is 3.3.27; 3.4 or newer is needed')
  warnings.length = 0
  await open(etcd({ url: await through('3.6.12') }))
  expect(warnings).toEqual([])
  await open(etcd({ url: await through('3.5.12') }))
  expect(warnings.map(({ code }) => code)).toEqual(['ETCD_MAY_REVOKE_LEASES'])
})

test('a ttl that the server raises is warned of, and granted is what counts', async () => {
  const server = await startEtcd({ electionTimeout: 4_000 })
  cleanup(() => server.end())
  warnings.length = 0
  const locks = await open(etcd({ url: server.url }), { ttl: 2_000 })
  const lock = await locks.acquire('name')
  expect(lock.expiresAt - performance.now()).toBeGreaterThan(3_000)
  expect(warnings.map(({ code }) => code)).toContain('ETCD_TTL_RAISED')
  expect(warnings.find(({ code }) => code === 'ETCD_TTL_RAISED')?.message).toContain('6000 ms')
})

const isFull = (error: unknown) => String(error).includes('database space exceeded')

test('a database that is full grants nothing, says so, and lets go of what is held', async () => {
  const server = await startEtcd({ flags: ['--quota-backend-bytes=65536'] })
  cleanup(() => server.end())
  const locks = await open(etcd({ url: server.url }), { ttl: 3_000 })
  const lock = await locks.acquire('held')
  const other = await open(etcd({ url: server.url }), { ttl: 3_000 })
  const stop = new AbortController()
  const waiting = settled(other.acquire('held', { signal: stop.signal }))
  await until('somebody waits', async () => (await locks.query('held')).pending.length > 0)
  // Not after a certain number of bytes: etcd looks at the size of its file, which grows behind the writes.
  await until('the database is full', () => server.ctl('put', 'fill', 'x'.repeat(20_000)).then(() => false, isFull))
  const { error } = await settled(locks.tryAcquire('another'))
  expect(LockError.find(error)?.message).toContain('NOSPACE')
  stop.abort()
  await waiting
  await until('nobody waits', async () => (await locks.query('held')).pending.length === 0)
  await expect(lock.release()).resolves.toBe('released')
  expect((await locks.query()).held).toEqual([])
})

test('members that are down are passed over, at start and afterwards', async () => {
  const cluster = await startEtcdCluster({ electionTimeout: 500 })
  cleanup(() => cluster.end())
  const leader = await cluster.leader()
  const [down, up] = cluster.members.filter((member) => member !== leader)
  if (!down || !up) throw new Error('there are three')
  await down.kill()
  const locks = await open(etcd({ url: urlOf(down.port, up.port, leader.port) }), { ttl: 3_000 })
  const lock = await locks.acquire('name')
  await down.start()
  await up.kill()
  const before = lock.expiresAt
  while (lock.expiresAt <= before) await new Promise((resolve) => setTimeout(resolve, 20))
  expect(lock.held).toBe(true)
  await (await locks.acquire('another')).release()
  await lock.release()
})
