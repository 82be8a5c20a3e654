import { postgres } from '@locks/postgres'
import { startPostgres, startProxy, type ProxyLine } from '@locks/testkit'
import type { Lock, LockManager } from '@locks/core'
import { afterAll, expect, test } from 'vitest'
import { cleanup, leftAt, nothing, open, queued, unhandledRejections, until } from './fixtures.ts'

const server = await startPostgres()
const proxy = await startProxy()
afterAll(async () => {
  await proxy.end()
  await server.end()
})

/** So long that whatever is told in time was not found out by waiting for it. */
const ttl = 6_000
const client = (options = {}) => open(postgres({ url: server.url }), { ttl, ...options })

async function newLine(): Promise<ProxyLine> {
  const line = await proxy.line({ upstreams: [{ host: '127.0.0.1', port: server.port }], framing: 'postgres' })
  cleanup(() => line.close())
  return line
}

const through = (line: ProxyLine, options = {}) =>
  open(postgres({ url: `postgres://postgres@127.0.0.1:${line.ports[0]}/postgres` }), { ttl, ...options })

/** How long it takes, ms, until somebody is told that a lock is lost. */
async function told(lock: Lock): Promise<number> {
  const began = performance.now()
  if (!lock.signal.aborted) await new Promise((resolve) => lock.signal.addEventListener('abort', resolve))
  expect(lock.held).toBe(false)
  expect(lock.signal.reason).toMatchObject({ code: 'LOST' })
  return performance.now() - began
}

const terminate = (role: 'lock' | 'listen') =>
  server.psql(
    `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = '@locks/postgres ${role}'`,
  )

async function expectNothingLeft(...managers: readonly LockManager[]): Promise<void> {
  await Promise.all(managers.map((locks) => locks.close()))
  expect(await leftAt(server)).toEqual(nothing)
}

test('a backend that is terminated is a loss, told at once, and the waiters of its manager wait on', async () => {
  const unhandled = unhandledRejections()
  const [holder, other] = [await client(), await client()]
  const lock = await holder.acquire('name')
  const elsewhere = await other.acquire('elsewhere')
  const waiting = holder.acquire('elsewhere')
  await queued(other, 'elsewhere', 1)
  const waiter = other.acquire('name')
  await queued(holder, 'name', 1)
  const pid = await server.psql(`SELECT s.pid FROM locks.session s JOIN locks.entry e ON e.session = s.number
    WHERE e.name LIKE '%/name' AND e.holds`)
  expect(await server.psql(`SELECT pg_terminate_backend(${pid})`)).toBe('t')
  const took = await told(lock)
  const next = await waiter
  console.log(`terminated: told after ${took.toFixed()} ms`)
  expect(took).toBeLessThan(1_000)
  expect(next.token).toBeGreaterThan(lock.token)
  expect(elsewhere.held).toBe(true)
  await queued(other, 'elsewhere', 1)
  await elsewhere.release()
  expect((await waiting).held).toBe(true)
  await expectNothingLeft(holder, other)
  expect(unhandled).toEqual([])
})

test('a listening backend that is terminated is no loss, and costs a waiter a moment only', async () => {
  const unhandled = unhandledRejections()
  const [holder, other] = [await client(), await client()]
  const lock = await holder.acquire('name')
  const waiting = other.acquire('name')
  await queued(holder, 'name', 1)
  expect(await terminate('listen')).toBe('2')
  const began = performance.now()
  await expect(lock.release()).resolves.toBe('released')
  const next = await waiting
  expect(performance.now() - began).toBeLessThan(2_000)
  // They are there again: a release is told by notification, sooner than anybody looks by himself.
  await until('they listen again', async () => (await server.sessions()) === 4)
  const again = holder.acquire('name')
  await queued(other, 'name', 1)
  await next.release()
  expect((await again).held).toBe(true)
  await expectNothingLeft(holder, other)
  expect(unhandled).toEqual([])
})

test('a connection that is dropped is a loss, told when the socket says so', async () => {
  const unhandled = unhandledRejections()
  const line = await newLine()
  const [holder, other] = [await through(line), await client()]
  const held = await Promise.all(['a', 'b', 'c'].map((name) => holder.acquire(name)))
  await line.reset()
  const took = await Promise.all(held.map(told))
  console.log(`dropped: told after ${Math.max(...took).toFixed()} ms`)
  expect(Math.max(...took)).toBeLessThan(1_000)
  for (const lock of held) {
    await expect(lock.release()).resolves.toBe('lost')
    const next = await other.acquire(lock.name, { timeout: 2_000 })
    expect(next.token).toBeGreaterThan(lock.token)
  }
  const again = await holder.acquire('d')
  expect(again.held).toBe(true)
  await expectNothingLeft(holder, other)
  expect(unhandled).toEqual([])
})

const restarts = {
  'killed and started again': () => server.restart(),
  'restarted by the loss of a process of its own': async () => {
    const pid = await server.psql(`SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'`)
    process.kill(Number(pid), 'SIGKILL')
  },
}

test.for(Object.entries(restarts))(
  'a server that is %s tells of the loss, and grants nothing that somebody still believes in',
  async ([, restart]) => {
    const unhandled = unhandledRejections()
    const line = await newLine()
    const options = { ttl: 1_000, connectTimeout: 10_000 }
    // It is the longest ttl of all that grants have to wait for.
    const [holder, rival, silent] = [await client(options), await client(options), await through(line, { ttl: 5_000 })]
    const lock = await holder.acquire('told')
    const believed = await silent.acquire('believed')
    const waiting = rival.acquire('believed')
    await queued(holder, 'believed', 1)
    await line.wire.silence()
    await restart()
    const took = await told(lock)
    console.log(`restart: told after ${took.toFixed()} ms`)
    expect(took).toBeLessThan(1_000)
    const next = await waiting
    expect(believed.held).toBe(false)
    expect(next.token).toBeGreaterThan(believed.token)
    const other = await holder.acquire('told')
    expect(other.token).toBeGreaterThan(lock.token)
    await line.wire.heal()
    expect(await silent.tryAcquire('believed')).toBeNull()
    expect(next.held).toBe(true)
    await expectNothingLeft(holder, silent, rival)
    expect(unhandled).toEqual([])
  },
)
