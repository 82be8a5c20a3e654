import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel'
import { inspect } from 'node:util'
import { LockManager, type LockEvents, type ManagerOptions } from '@locks/core'
import { systemRandom, type Random } from '@locks/core/backend'
import { digestOf, startProxy, startZookeeper, type ProxyLine } from '@locks/testkit'
import { adapter } from '@locks/zookeeper'
import { afterAll, afterEach, beforeEach, expect, test, vi } from 'vitest'
import { connectAdmin } from './admin.ts'
import { cleanup, until } from './fixtures.ts'

/** With what has to be encoded in a URL, and ends a word elsewhere. */
const canary = 'cAnArY @:/?#%"\'\\'
const encoded = encodeURIComponent(canary)
/** What shows that it is there, encoded or not. */
const trace = /cAnArY/i

const channels: readonly (keyof LockEvents)[] = [
  ...(['locks:request', 'locks:queued', 'locks:granted', 'locks:refused', 'locks:failed', 'locks:released'] as const),
  ...(['locks:lost', 'locks:at-risk', 'locks:renewed', 'locks:session', 'locks:warning'] as const),
]

/** Everything that could be seen, as it would be shown. */
let seen: string[] = []
const note = (...values: unknown[]) => {
  for (const value of values) {
    seen.push(String(value), inspect(value), inspect(value, { depth: 10, showHidden: true, getters: true }))
    for (let error = value; error instanceof Error; error = error.cause) {
      seen.push(error.message, String(error.stack), JSON.stringify(error), ...Object.keys(error))
    }
  }
}
const noteMessage = (message: unknown) => note(message)

beforeEach(() => {
  seen = []
  for (const each of channels) subscribe(each, noteMessage)
  process.on('warning', noteMessage)
  for (const way of ['debug', 'error', 'info', 'log', 'warn'] as const) vi.spyOn(console, way).mockImplementation(note)
})
afterEach(() => {
  vi.restoreAllMocks()
  process.off('warning', noteMessage)
  for (const each of channels) unsubscribe(each, noteMessage)
})

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
  note(backend, locks)
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
  note(locks, ...errors)
  return errors
}

function expectNoTrace(): void {
  expect(seen.length).toBeGreaterThan(0)
  for (const each of seen) expect(each).not.toMatch(trace)
}

test('this would find it', () => {
  note(new Error('a', { cause: Object.assign(new Error('b'), { auth: { password: canary } }) }))
  expect(expectNoTrace).toThrow('not to match')
  seen = []
  channel('locks:warning').publish({ code: 'A', message: canary })
  expect(expectNoTrace).toThrow('not to match')
  seen = []
  console.warn(canary)
  expect(expectNoTrace).toThrow('not to match')
})

test('a password of a user who may do nothing under the root', async () => {
  await admin.createFor('/forbidden', `digest:${digestOf('somebody', 'else')}`)
  const errors = await call(managerOf(urlOf('nobody', server.port, '/forbidden')))
  expect(errors.length).toBeGreaterThan(0)
  expect(String(errors[0])).toContain('README')
  expectNoTrace()
})

test('a password for a host that cannot be reached, or is unknown', async () => {
  const gone = await line()
  await gone.close()
  for (const host of [`127.0.0.1:${gone.ports[0]}`, 'host.invalid']) {
    const errors = await call(managerOf(`zookeeper://u:${encoded}@${host}`))
    expect(errors.length).toBeGreaterThan(0)
  }
  expectNoTrace()
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
    note(thrown)
  }
  expectNoTrace()
})

test('a password, while the server is silent, cut off, late, or breaks off in the middle', async () => {
  const wire = await line()
  const locks = managerOf(urlOf('able', wire.ports[0]))
  const lock = await locks.acquire('held')
  await wire.wire.dropAnswers()
  expect(await call(locks)).not.toEqual([])
  await until('it is lost', () => !lock.held)
  await wire.wire.cut()
  expect(await call(locks)).not.toEqual([])
  await wire.wire.heal()
  await wire.wire.reconnect()
  await until('it works again', async () => (await locks.tryAcquire('again').catch(() => null)) !== null)
  await wire.cutInFrame()
  await call(locks)
  await wire.wire.silence()
  expect(await call(managerOf(urlOf('able', wire.ports[0])))).not.toEqual([])
  expectNoTrace()
})

test("the owner's secret is in nothing that can be seen, at the server neither", async () => {
  let drawn = 0
  const secret = canary.replaceAll(/[^A-Za-z]/g, '')
  const random: Random = { ...systemRandom, id: () => `${drawn++}${secret}${'x'.repeat(16)}` }
  const [locks, other] = [managerOf(urlOf('able'), { random, ttl: 10_000 }), managerOf(urlOf('able'))]
  const lock = await locks.acquire('seen')
  const waiting = locks.acquire('seen', { timeout: 300 }).catch((error: unknown) => error)
  note(await locks.query(), await other.query(), await waiting)
  expect(drawn).toBeGreaterThan(2)
  seen.push(await server.ask('dump'), await server.ask('wchp'))
  for (const path of [...(await server.ephemerals()).values()].flat()) seen.push(path, await admin.data(path))
  // The first is the manager's own, which everybody may know.
  for (const each of seen) expect(each).not.toMatch(/[1-9]\d*cAnArY/i)
  await lock.release()
})
