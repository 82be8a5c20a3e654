import { cases, runCase } from '@locks/core/conformance'
import { redis } from '@locks/redis'
import { startProxy, startRedis } from '@locks/testkit'
import { Redis } from 'ioredis'
import { afterAll, describe, expect, test } from 'vitest'
import { cleanup, open, queued, until } from './fixtures.ts'
import { harnessOf, type Form } from './harness.ts'

const server = await startRedis({ appendonly: true })
const proxy = await startProxy()
const clients: Redis[] = []
afterAll(async () => {
  for (const client of clients) client.disconnect()
  await proxy.end()
  await server.end()
})

interface Settings {
  readonly keyPrefix?: string
  readonly stringNumbers?: boolean
  readonly enableAutoPipelining?: boolean
  readonly protocol?: 2 | 3
  readonly lazyConnect?: boolean
  readonly enableOfflineQueue?: boolean
  readonly commandTimeout?: number
  readonly db?: number
}

/** The application's: it queues, sends again, and retries as the driver does by default. */
function clientOf(port = server.port, options: Settings = {}): Redis {
  const client = new Redis(port, '127.0.0.1', options)
  client.on('error', () => {})
  clients.push(client)
  return client
}

describe("the contract, on a client with the driver's own settings", () => {
  const form: Form = {
    backend: 'redis',
    url: server.url,
    open: () => redis({ client: clientOf() }),
    ports: [server.port],
    openThrough: ([port]) => redis({ client: clientOf(port) }),
    admin: clientOf(),
    end: () => server.end(),
  }
  const harness = harnessOf(form, proxy)
  const chosen = cases.filter(({ id }) => /^(ambiguity|liveness|loss|release|deadline)\//.test(id))
  test.for(chosen.map((each) => [each.id, each] as const))('%s', async ([, each]) => {
    await runCase(each, harness)
  })

  test('all of these cases are there', () => {
    expect(new Set(chosen.map(({ id }) => id.split('/')[0])).size).toBe(5)
  })
})

test('a client is given back as it was, and is still of use', async () => {
  const client = clientOf()
  await client.ping()
  const before = listenersOf(client)
  const managers = await Promise.all([1, 2, 3].map(() => open(redis({ client }))))
  const [first, second] = managers
  const lock = await first?.acquire('name')
  const waiting = second?.acquire('name')
  await lock?.release()
  expect((await waiting)?.held).toBe(true)
  await Promise.all(managers.map((locks) => locks.close()))
  expect(listenersOf(client)).toEqual(before)
  expect(client.status).toBe('ready')
  expect(await client.ping()).toBe('PONG')
  // No connection but its own is left.
  await until('the connections for messages are closed', async () => {
    const list = String(await client.call('CLIENT', 'LIST', 'TYPE', 'pubsub'))
    return list.trim() === ''
  })
  const again = await open(redis({ client }))
  expect((await again.acquire('name')).held).toBe(true)
})

test('a client is given back as it was by a manager that could not start', async () => {
  const client = clientOf()
  await client.config('SET', 'maxmemory-policy', 'allkeys-lru')
  cleanup(() => client.config('SET', 'maxmemory-policy', 'noeviction'))
  const before = listenersOf(client)
  await expect(open(redis({ client }))).rejects.toMatchObject({ code: 'UNSUPPORTED' })
  expect(listenersOf(client)).toEqual(before)
  expect(await client.ping()).toBe('PONG')
})

test('30 managers share one client, and Node.js does not warn of listeners', async () => {
  const warnings: Error[] = []
  const note = (warning: Error) => void warnings.push(warning)
  process.on('warning', note)
  cleanup(() => process.off('warning', note))
  const client = clientOf()
  const managers = await Promise.all(Array.from({ length: 30 }, () => open(redis({ client }))))
  const locks = await Promise.all(managers.map((manager, at) => manager.acquire(`name ${at}`)))
  // More than one loss of the connection, which all of them see.
  for (let round = 0; round < 2; round++) {
    client.stream.destroy()
    await until('it is connected again', () => client.status === 'ready')
  }
  const [first] = managers
  const [own] = locks
  await own?.release()
  const shared = managers.map((manager) => manager.acquire('shared').then((lock) => lock.release()))
  await Promise.all(shared)
  expect((await first?.query())?.held).toHaveLength(29)
  await new Promise((resolve) => setImmediate(resolve))
  expect(warnings.filter(({ name }) => name === 'MaxListenersExceededWarning')).toEqual([])
})

const settings: Record<string, Settings> = {
  keyPrefix: { keyPrefix: 'of:the:application:' },
  stringNumbers: { stringNumbers: true },
  enableAutoPipelining: { enableAutoPipelining: true },
  'protocol 2': { protocol: 2 },
  'protocol 3': { protocol: 3 },
  lazyConnect: { lazyConnect: true },
  'no offline queue': { lazyConnect: true, enableOfflineQueue: false },
  commandTimeout: { commandTimeout: 1_000 },
  'another database': { db: 3 },
  'all at once': { keyPrefix: 'all:', stringNumbers: true, enableAutoPipelining: true, protocol: 2, lazyConnect: true },
}

test.for(Object.entries(settings))('a client with %s', async ([title, options]) => {
  const namespace = title
  const client = clientOf(server.port, options)
  if (options.enableOfflineQueue === false) await client.connect()
  const other = clientOf(server.port, options)
  if (options.enableOfflineQueue === false) await other.connect()
  const [locks, rival] = [
    await open(redis({ client }), { namespace, ttl: 3_000 }),
    await open(redis({ client: other }), { namespace, ttl: 3_000 }),
  ]
  const long = 'ü'.repeat(300)
  const [lock, named] = await Promise.all([locks.acquire('name'), locks.acquire(long)])
  expect(lock.token).toBeGreaterThan(1_700_000_000_000_000n)
  expect(await rival.tryAcquire('name')).toBeNull()
  const waiting = rival.acquire('name')
  await queued(locks, 'name', 1)
  const before = [lock.expiresAt, named.expiresAt]
  await until('both are renewed', () => lock.expiresAt > (before[0] ?? 0) && named.expiresAt > (before[1] ?? 0))
  const leaders = rival.election('led').observe()
  expect(await leaders.next()).toEqual({ value: null })
  const leadership = await locks.election('led').campaign({ value: long })
  expect(await leaders.next()).toMatchObject({ value: { value: long } })
  await leadership.resign()
  expect(await leaders.next()).toEqual({ value: null })
  await leaders.return?.()
  const all = await rival.query()
  expect(new Map(all.held.map(({ name, token }) => [name, token]))).toEqual(
    new Map([
      ['name', lock.token],
      [long, named.token],
    ]),
  )
  expect(all.pending.map(({ name }) => name)).toEqual(['name'])
  await expect(lock.release()).resolves.toBe('released')
  const next = await waiting
  expect(next.token).toBeGreaterThan(lock.token)
  const permits = await Promise.all([1, 2, 3].map(() => locks.tryAcquire('permits', { permits: 2 })))
  expect(permits.filter((permit) => permit !== null)).toHaveLength(2)
  await expect(rival.acquire('permits')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  await locks.close()
  await rival.close()
  if (options.keyPrefix !== undefined) {
    const keys = await clientOf().keys('*')
    expect(keys.filter((key) => key.startsWith(options.keyPrefix ?? '')).length).toBeGreaterThan(0)
  }
})

function listenersOf(client: Redis): Record<string, number> {
  return Object.fromEntries(client.eventNames().map((name) => [String(name), client.listenerCount(name)]))
}
