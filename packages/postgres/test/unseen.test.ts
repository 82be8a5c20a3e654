import { systemClock, type Clock } from '@locks/core/backend'
import { postgres } from '@locks/postgres'
import { startPostgres, startProxy } from '@locks/testkit'
import { afterAll, expect, test } from 'vitest'
import { cleanup, until } from './fixtures.ts'
import { openSession, request } from './support.ts'

const server = await startPostgres()
const proxy = await startProxy()
afterAll(async () => {
  await proxy.end()
  await server.end()
})

const backend = postgres({ url: server.url })
const rows = async () => Number(await server.psql('SELECT count(*) FROM locks.entry'))

/** Nothing is done by and by: what is asked for is all that happens. */
const still: Clock = { now: () => systemClock.now(), after: () => ({ cancel() {} }) }

test('a lock has no row until it has been held for a while, or somebody asks', async () => {
  const { session } = await openSession(backend, { clock: still })
  const claim = request('quick')
  expect(await session.acquire(claim)).toMatchObject({ id: claim.id })
  expect(await rows()).toBe(0)
  expect(await session.remove(claim)).toBe(true)
  const [kept, asked] = [request('kept'), request('asked')]
  await session.acquire(asked)
  expect(await session.query(asked.names[0])).toMatchObject([{ name: 'asked', holds: true }])
  expect(await rows()).toBe(1)
  expect(await session.remove(asked)).toBe(true)
  expect(await rows()).toBe(0)
  const { session: other } = await openSession(backend)
  await other.acquire(kept)
  await until('it has its row', async () => (await rows()) === 1)
  expect(await other.remove(kept)).toBe(true)
  expect(await rows()).toBe(0)
})

test('a lock that is free is not taken from those who wait for it', async () => {
  const line = await proxy.line({ upstreams: [{ host: '127.0.0.1', port: server.port }], framing: 'postgres' })
  cleanup(() => line.close())
  const through = postgres({ url: `postgres://postgres@127.0.0.1:${line.ports[0]}/postgres` })
  const [first, waiting, third] = [await openSession(backend), await openSession(through), await openSession(backend)]
  const [held, queued] = [request('a'), request('a')]
  await first.session.acquire(held)
  expect(await waiting.session.acquire(queued)).toBe('queued')
  // It hears of nothing now, and is alive.
  await line.wire.silence()
  await first.session.remove(held)
  expect(await third.session.acquire(request('a', { wait: false }))).toBe(null)
  expect(await first.session.acquire(request('a', { wait: false }))).toBe(null)
  expect(waiting.granted).toEqual([])
  await line.wire.heal()
  await until('it is granted', () => waiting.granted.length === 1)
})

test('a lock whose row somebody deletes goes to nobody, its own session least, before its holder is told', async () => {
  const { session, granted, lost } = await openSession(backend, { clock: still, ttl: 60_000 })
  const { session: other } = await openSession(backend)
  const [held, queued] = [request('b'), request('b')]
  await session.acquire(held)
  await session.query('b')
  expect(await session.acquire(queued)).toBe('queued')
  await server.psql(`DELETE FROM locks.entry WHERE holds`)
  // Both make the server look at the queue again.
  expect(await other.acquire(request('b', { wait: false }))).toBe(null)
  expect(await session.acquire(request('b', { wait: false }))).toBe(null)
  const cancelled = request('b')
  await session.acquire(cancelled)
  await session.remove(cancelled)
  expect([granted, lost]).toEqual([[], []])
  await session.renew([held, queued])
  await until('the holder is told', () => lost.length === 1)
  expect(lost).toEqual([[held.id, 'gone']])
  const last = request('b')
  await session.acquire(last)
  await session.remove(last)
  await until('the next one has it', () => granted.length === 1)
  expect(granted[0]?.id).toBe(queued.id)
})
