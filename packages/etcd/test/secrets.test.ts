import { LockManager } from '@locks/core'
import { systemRandom, type Backend, type Random } from '@locks/core/backend'
import { adapter, etcd } from '@locks/etcd'
import { startEtcd, startProxy, type EtcdServer, type Proxy } from '@locks/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { canary, cleanup, Sightings, until } from './fixtures.ts'

const encoded = encodeURIComponent(canary)
const sightings = new Sightings()

let server: EtcdServer
let proxy: Proxy
beforeAll(async () => {
  const users = (['able', 'reader'] as const).map((name) => ({
    name,
    password: canary,
    permissions: [{ access: name === 'able' ? 'readwrite' : 'read', prefix: 'locks/' }] as const,
  }))
  ;[server, proxy] = await Promise.all([startEtcd({ users }), startProxy()])
})
afterAll(() => Promise.all([server.end(), proxy.end()]))

async function line() {
  const made = await proxy.line({ upstreams: [{ host: '127.0.0.1', port: server.port }], framing: 'grpc' })
  cleanup(() => made.close())
  return made
}

const urlAs = (name: string, port = server.port) => `etcd://${name}:${encoded}@127.0.0.1:${port}`

function managerOf(backend: Backend, options: { random?: Random } = {}): LockManager {
  const locks = new LockManager(backend, { connectTimeout: 1_000, ttl: 2_000, ...options })
  cleanup(() => locks.close())
  sightings.note(backend, locks)
  return locks
}

test.for([
  ['of an unknown user', 'nobody'],
  ['of a user who may only read', 'reader'],
] as const)('a password %s is in nothing that can be seen', async ([, name]) => {
  const errors = await sightings.failures(managerOf(adapter.fromUrl(urlAs(name))))
  expect(errors.length).toBeGreaterThan(0)
  sightings.expectNone()
})

test('a password that a server does not want', async () => {
  const open = await startEtcd()
  cleanup(() => open.end())
  expect(await sightings.failures(managerOf(etcd({ url: urlAs('able', open.port) })))).not.toEqual([])
  sightings.expectNone()
})

test('a password for a host that cannot be reached, or is unknown, and one in a URL that is malformed', async () => {
  const gone = await line()
  await gone.close()
  for (const host of [`127.0.0.1:${gone.ports[0]}`, 'host.invalid']) {
    expect(await sightings.failures(managerOf(etcd({ url: `etcd://u:${encoded}@${host}` })))).not.toEqual([])
  }
  for (const url of [`etcd://u:${canary}@127.0.0.1`, `etcd://u:${encoded}@127.0.0.1:x`, `etcd://u:${encoded}@h?q=1`]) {
    try {
      etcd({ url })
    } catch (error) {
      sightings.note(error)
    }
  }
  sightings.expectNone()
})

test('a password, while the server is silent, cut off, late, or breaks off in the middle', async () => {
  const wire = await line()
  const locks = managerOf(etcd({ url: urlAs('able', wire.ports[0]) }))
  const lock = await locks.acquire('held')
  await wire.wire.dropAnswers()
  expect(await sightings.failures(locks)).not.toEqual([])
  await until('it is lost', () => !lock.held)
  await wire.wire.cut()
  expect(await sightings.failures(locks)).not.toEqual([])
  await wire.wire.heal()
  await until('it works again', async () => (await locks.tryAcquire('again')) !== null)
  await wire.cutInFrame()
  await sightings.failures(locks)
  await wire.wire.silence()
  expect(await sightings.failures(managerOf(etcd({ url: urlAs('able', wire.ports[0]) })))).not.toEqual([])
  sightings.expectNone()
})

test("the owner's secret is in no error, no answer, and no key that others can read", async () => {
  let drawn = 0
  const random: Random = { ...systemRandom, id: () => `${drawn++}${canary}` }
  const wire = await line()
  const locks = managerOf(etcd({ url: urlAs('able', wire.ports[0]) }), { random })
  const rival = managerOf(etcd({ url: urlAs('able') }))
  const [held, theirs] = [await locks.acquire('mine'), await rival.acquire('theirs')]
  const waiting = locks.acquire('theirs').catch((error: unknown) => sightings.note(error))
  await until('it waits', async () => (await rival.query('theirs')).pending.length === 1)
  sightings.note(held, await rival.query(), await locks.query())
  sightings.note(await server.ctl('get', 'locks/', '--prefix'))
  sightings.note(await locks.acquire('mine', { permits: 3 }).catch((error: unknown) => error))
  await wire.wire.dropAnswers()
  await sightings.failures(locks)
  await wire.wire.heal()
  await theirs.release()
  await locks.close()
  await waiting
  expect(drawn).toBeGreaterThan(3)
  // The first is the manager's own, which everybody may know.
  sightings.expectNone(/[1-9]cAnArY/i)
})
