import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel'
import { inspect } from 'node:util'
import { LockManager, type LockEvents } from '@locks/core'
import { systemRandom, type Backend, type Random } from '@locks/core/backend'
import { adapter, etcd } from '@locks/etcd'
import { startEtcd, startProxy, type EtcdServer, type Proxy } from '@locks/testkit'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { cleanup, until } from './fixtures.ts'

/** With what has to be encoded in a URL, and ends a word elsewhere. */
const canary = 'cAnArY @:/?#%"\'\\'
const encoded = encodeURIComponent(canary)
/** What shows that it is there, encoded or not. */
const trace = /cAnArY/i

const channels: readonly (keyof LockEvents)[] = [
  'locks:request',
  'locks:queued',
  'locks:granted',
  'locks:refused',
  'locks:failed',
  'locks:released',
  'locks:lost',
  'locks:at-risk',
  'locks:renewed',
  'locks:session',
  'locks:warning',
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
  note(new Error('a', { cause: Object.assign(new Error('b'), { metadata: { password: canary } }) }))
  expect(expectNoTrace).toThrow('not to match')
  seen = []
  channel('locks:warning').publish({ code: 'A', message: canary })
  expect(expectNoTrace).toThrow('not to match')
  seen = []
  console.warn(canary)
  expect(expectNoTrace).toThrow('not to match')
})

test.for([
  ['of an unknown user', 'nobody'],
  ['of a user who may only read', 'reader'],
] as const)('a password %s is in nothing that can be seen', async ([, name]) => {
  const errors = await call(managerOf(adapter.fromUrl(urlAs(name))))
  expect(errors.length).toBeGreaterThan(0)
  expectNoTrace()
})

test('a password that a server does not want', async () => {
  const open = await startEtcd()
  cleanup(() => open.end())
  expect(await call(managerOf(etcd({ url: urlAs('able', open.port) })))).not.toEqual([])
  expectNoTrace()
})

test('a password for a host that cannot be reached, or is unknown, and one in a URL that is malformed', async () => {
  const gone = await line()
  await gone.close()
  for (const host of [`127.0.0.1:${gone.ports[0]}`, 'host.invalid']) {
    expect(await call(managerOf(etcd({ url: `etcd://u:${encoded}@${host}` })))).not.toEqual([])
  }
  for (const url of [`etcd://u:${canary}@127.0.0.1`, `etcd://u:${encoded}@127.0.0.1:x`, `etcd://u:${encoded}@h?q=1`]) {
    try {
      etcd({ url })
    } catch (error) {
      note(error)
    }
  }
  expectNoTrace()
})

test('a password, while the server is silent, cut off, late, or breaks off in the middle', async () => {
  const wire = await line()
  const locks = managerOf(etcd({ url: urlAs('able', wire.ports[0]) }))
  const lock = await locks.acquire('held')
  await wire.wire.dropAnswers()
  expect(await call(locks)).not.toEqual([])
  await until('it is lost', () => !lock.held)
  await wire.wire.cut()
  expect(await call(locks)).not.toEqual([])
  await wire.wire.heal()
  await until('it works again', async () => (await locks.tryAcquire('again')) !== null)
  await wire.cutInFrame()
  await call(locks)
  await wire.wire.silence()
  expect(await call(managerOf(etcd({ url: urlAs('able', wire.ports[0]) })))).not.toEqual([])
  expectNoTrace()
})

test("the owner's secret is in no error, no answer, and no key that others can read", async () => {
  let drawn = 0
  const random: Random = { ...systemRandom, id: () => `${drawn++}${canary}` }
  const wire = await line()
  const locks = managerOf(etcd({ url: urlAs('able', wire.ports[0]) }), { random })
  const rival = managerOf(etcd({ url: urlAs('able') }))
  const [held, theirs] = [await locks.acquire('mine'), await rival.acquire('theirs')]
  const waiting = locks.acquire('theirs').catch(note)
  await until('it waits', async () => (await rival.query('theirs')).pending.length === 1)
  note(held, await rival.query(), await locks.query())
  seen.push(await server.ctl('get', 'locks/', '--prefix'))
  note(await locks.acquire('mine', { permits: 3 }).catch((error: unknown) => error))
  await wire.wire.dropAnswers()
  await call(locks)
  await wire.wire.heal()
  await theirs.release()
  await locks.close()
  await waiting
  expect(drawn).toBeGreaterThan(3)
  // The first is the manager's own, which everybody may know.
  for (const each of seen) expect(each).not.toMatch(/[1-9]cAnArY/i)
})
