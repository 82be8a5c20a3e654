import { LockManager, type ManagerOptions } from '@locks/core'
import { systemRandom, type Random } from '@locks/core/backend'
import { digestOf, startProxy, startZookeeper, type ProxyLine } from '@locks/testkit'
import { adapter } from '@locks/zookeeper'
import { afterAll, expect, test } from 'vitest'
import { connectAdmin } from './admin.ts'
import { canary, cleanup, Sightings, until } from './fixtures.ts'

const encoded = encodeURIComponent(canary)
const sightings = new Sightings()

const server = await startZookeeper({ superPassword: 'of-the-admin' })
const proxy = await startProxy()
const admin = await connectAdmin([server.port], 'of-the-admin')
afterAll(async () => {
  admin.close()
  await Promise.all([server.end(), proxy.end()])
})

async function line(): Promise<ProxyLine> {
  const made = await proxy.line({ upstreams: [{ host: '127.0.0.1', port: server.port }], framing: 'zookeeper' })
  cleanup(() => made.close())
  return made
}

const urlOf = (user: string, port = server.port, rest = '/locks') =>
  `zookeeper://${user}:${encoded}@127.0.0.1:${port}${rest}`

function managerOf(url: string, options: ManagerOptions = {}): LockManager {
  const backend = adapter.fromUrl(url)
  const locks = new LockManager(backend, { connectTimeout: 1_000, ttl: 1_000, ...options })
  cleanup(() => locks.close())
  sightings.note(backend, locks)
  return locks
}

test('a password of a user who may do nothing under the root', async () => {
  await admin.createFor('/forbidden', `digest:${digestOf('somebody', 'else')}`)
  const errors = await sightings.failures(managerOf(urlOf('nobody', server.port, '/forbidden')))
  expect(errors.length).toBeGreaterThan(0)
  expect(String(errors[0])).toContain('README')
  sightings.expectNone()
})

test('a password for a host that cannot be reached, or is unknown', async () => {
  const gone = await line()
  await gone.close()
  for (const host of [`127.0.0.1:${gone.ports[0]}`, 'host.invalid']) {
    const errors = await sightings.failures(managerOf(`zookeeper://u:${encoded}@${host}`))
    expect(errors.length).toBeGreaterThan(0)
  }
  sightings.expectNone()
})

test('a password in a URL that is refused', () => {
  const urls = [
    `zookeeper://u:${canary}@127.0.0.1`,
    `zookeeper://u:${encoded}@127.0.0.1/zookeeper`,
    `zookeeper://u:${encoded}@127.0.0.1/..`,
    `zookeeper://u:${encoded}@127.0.0.1?nonsense=1`,
    `zookeeper://u:${encoded}@127.0.0.1?acl=nonsense`,
    `zookeeper://u:${encoded}@127.0.0.1:port`,
    `zookeeper://${encoded}@127.0.0.1`,
    `zookeepers://u:${encoded}@127.0.0.1`,
    `zookeeper://u:cAnArY?@127.0.0.1`,
    `zookeeper://u:cAnArY#@127.0.0.1`,
  ]
  for (const url of urls) {
    let thrown: unknown
    try {
      adapter.fromUrl(url)
    } catch (error) {
      thrown = error
    }
    expect(thrown).toMatchObject({ code: 'INVALID_ARGUMENT' })
    sightings.note(thrown)
  }
  sightings.expectNone()
})

test('a password, while the server is silent, cut off, late, or breaks off in the middle', async () => {
  const wire = await line()
  const locks = managerOf(urlOf('able', wire.ports[0]))
  const lock = await locks.acquire('held')
  await wire.wire.dropAnswers()
  expect(await sightings.failures(locks)).not.toEqual([])
  await until('it is lost', () => !lock.held)
  await wire.wire.cut()
  expect(await sightings.failures(locks)).not.toEqual([])
  await wire.wire.heal()
  await wire.wire.reconnect()
  await until('it works again', async () => (await locks.tryAcquire('again').catch(() => null)) !== null)
  await wire.cutInFrame()
  await sightings.failures(locks)
  await wire.wire.silence()
  expect(await sightings.failures(managerOf(urlOf('able', wire.ports[0])))).not.toEqual([])
  sightings.expectNone()
})

test("the owner's secret is in nothing that can be seen, at the server neither", async () => {
  let drawn = 0
  const secret = canary.replaceAll(/[^A-Za-z]/g, '')
  const random: Random = { ...systemRandom, id: () => `${drawn++}${secret}${'x'.repeat(16)}` }
  const [locks, other] = [managerOf(urlOf('able'), { random, ttl: 10_000 }), managerOf(urlOf('able'))]
  const lock = await locks.acquire('seen')
  const waiting = locks.acquire('seen', { timeout: 300 }).catch((error: unknown) => error)
  sightings.note(await locks.query(), await other.query(), await waiting)
  expect(drawn).toBeGreaterThan(2)
  sightings.note(await server.ask('dump'), await server.ask('wchp'))
  for (const path of [...(await server.ephemerals()).values()].flat()) sightings.note(path, await admin.data(path))
  // The first is the manager's own, which everybody may know.
  sightings.expectNone(/[1-9]\d*cAnArY/i)
  await lock.release()
})
