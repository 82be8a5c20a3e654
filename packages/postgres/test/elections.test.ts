import { encodeName, systemClock, type Clock } from '@locks/core/backend'
import { postgres } from '@locks/postgres'
import { startPostgres, startProxy } from '@locks/testkit'
import { afterAll, expect, test } from 'vitest'
import { backendOn } from '../src/backend.ts'
import { sha256, type Hash } from '../src/keys.ts'
import { settingsFromUrl } from '../src/options.ts'
import { cleanup, until } from './fixtures.ts'
import { openSession, request, type Opened } from './support.ts'

const server = await startPostgres()
const proxy = await startProxy()
afterAll(async () => {
  await proxy.end()
  await server.end()
})

/** All names that begin with an a share one key. */
const colliding: Hash = (text) => (text.includes('/a') ? -4_711n : sha256(text))
const backend = backendOn(settingsFromUrl(server.url), colliding)
/** Nothing is done by and by: what is asked for is all that happens. */
const still: Clock = { now: () => systemClock.now(), after: () => ({ cancel() {} }) }

const leading = (name: string, rest = {}) => request(name, { value: 'here', ...rest })

/** What a session is told of a name. */
async function watching({ session }: Opened, name: string) {
  const news = { count: 0, end: () => {} }
  news.end = await session.watch!(encodeName(name), () => void news.count++)
  return news
}

/** By a notification that comes after all others, that nothing more is on its way. */
async function settled(session: Opened, of: Opened): Promise<void> {
  const name = `settled ${Math.random()}`
  const last = await watching(session, name)
  const claim = leading(name)
  await of.session.acquire(claim)
  await until('the last of it is told', () => last.count === 1)
  last.end()
  await of.session.remove(claim)
}

/** What the connections that listen were asked last. */
const lastAsked = () =>
  server.psql(
    `SELECT query FROM pg_stat_activity WHERE application_name = '@locks/postgres listen' ORDER BY backend_start`,
  )

test('it is told when a claim with a value comes to hold a name, and when it goes: once each, and of no other', async () => {
  const [one, other] = [await openSession(backend), await openSession(backend)]
  const news = await watching(other, 'told')
  const [first, next, plain] = [leading('told'), leading('told', { value: '' }), request('told')]
  await one.session.acquire(first)
  await until('it has come', () => news.count === 1)
  for (const claim of [next, plain]) expect(await one.session.acquire(claim)).toBe('queued')
  await one.session.remove(first)
  await until('another follows', () => one.granted.length === 1)
  // One statement has removed the one and granted the other.
  await until('that is told', () => news.count === 2)
  expect(await other.session.query('told')).toMatchObject([{ holds: true, value: '' }, { holds: false }])
  await one.session.remove(next)
  await until('it is gone', () => news.count === 3)
  await one.session.query('told')
  await one.session.remove(plain)
  await one.session.acquire(plain)
  await one.session.remove(plain)
  await settled(other, one)
  expect(news.count).toBe(3)
})

test('a name is listened to once, however many watch it, and no more when the last has ended', async () => {
  const line = await proxy.line({ upstreams: [{ host: '127.0.0.1', port: server.port }], framing: 'postgres' })
  cleanup(() => line.close())
  const through = postgres({ url: `postgres://postgres@127.0.0.1:${line.ports[0]}/postgres` })
  const watcher = await openSession(through, { clock: still })
  const before = await line.wire.sent()
  const several = await Promise.all([1, 2, 3].map(() => watching(watcher, 'once')))
  several.push(await watching(watcher, 'once'))
  expect((await line.wire.sent()) - before).toBe(1)
  const other = await openSession(backend)
  for (const ended of several.splice(0, 3)) ended.end()
  const claim = leading('once')
  await other.session.acquire(claim)
  await until('the last one is told', () => several[0]?.count === 1)
  expect((await line.wire.sent()) - before).toBe(1)
  several[0]?.end()
  several[0]?.end()
  await until('it is given up', async () => /UNLISTEN "locks_name_/.test(await lastAsked()))
  expect((await line.wire.sent()) - before).toBe(2)
  // And may be begun anew.
  const again = await watching(watcher, 'once')
  await other.session.remove(claim)
  await until('it is told', () => again.count === 1)
  expect(several[0]?.count).toBe(1)
})

test('two names that share a key are listened to for as long as one of them is watched', async () => {
  const [one, other] = [await openSession(backend), await openSession(backend)]
  const [first, second] = [await watching(other, 'a1'), await watching(other, 'a2')]
  first.end()
  await one.session.acquire(leading('a2'))
  await until('it is told', () => second.count === 1)
  expect(first.count).toBe(0)
})

test('a listener that is made anew listens to what is watched, and tells all who watch', async () => {
  const [one, other] = [await openSession(backend), await openSession(backend, { clientId: 'watcher' })]
  const watched = [await watching(other, 'x'), await watching(other, 'x'), await watching(other, 'y')]
  const ended = await watching(other, 'z')
  ended.end()
  const [claim, held] = [request('held'), leading('x')]
  await other.session.acquire(claim)
  const cut = `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE query LIKE '%LISTEN "locks_name_%'
    AND application_name = '@locks/postgres listen'`
  await server.psql(cut)
  // Not heard of by anybody: whoever watches looks when it is told that there may have been something.
  await one.session.acquire(held)
  await until('all are told', () => watched.every(({ count }) => count > 0))
  await until('and of what comes', async () => {
    const before = watched.map(({ count }) => count)
    const passing = ['x', 'y'].map((name) => leading(name))
    await one.session.remove(held)
    for (const each of passing) await one.session.acquire(each)
    for (const each of passing) await one.session.remove(each)
    return watched.every(({ count }, at) => count > (before[at] ?? 0))
  })
  expect(ended.count).toBe(0)
  expect((await other.session.renew([claim])).get(claim.id)).toMatchObject({ id: claim.id })
})

test('a watch that is asked for while nobody listens is refused for now', async () => {
  const line = await proxy.line({ upstreams: [{ host: '127.0.0.1', port: server.port }], framing: 'postgres' })
  cleanup(() => line.close())
  const through = postgres({ url: `postgres://postgres@127.0.0.1:${line.ports[0]}/postgres` })
  const { session } = await openSession(through)
  await line.wire.silence()
  const waiting = Promise.allSettled([1, 2].map(() => session.watch!('name', () => {})))
  await session.close()
  for (const answer of await waiting) expect(answer).toMatchObject({ status: 'rejected', reason: { temporary: true } })
  await expect(session.watch!('name', () => {})).rejects.toMatchObject({ temporary: true })
})

test('a row that is deleted by hand is told of at once, before its holder knows', async () => {
  const [one, other] = [await openSession(backend, { clock: still }), await openSession(backend)]
  const news = await watching(other, 'by hand')
  await one.session.acquire(leading('by hand'))
  await until('it has come', () => news.count === 1)
  await server.psql(`DELETE FROM locks.entry WHERE name = 'test/${encodeName('by hand')}'`)
  await until('it is gone', () => news.count === 2)
})

test('a death is not shown, and is told of by whoever comes by: to the name, or to begin a session', async () => {
  const other = await openSession(backend)
  for (const [name, comesBy] of [
    ['one', () => other.session.acquire(request('one', { wait: false }))],
    ['two', () => openSession(backend)],
  ] as const) {
    const dead = await openSession(backend, { clientId: `dead ${name}` })
    const news = await watching(other, name)
    await dead.session.acquire(leading(name))
    await until('it has come', () => news.count === 1)
    await server.psql(`SELECT pg_terminate_backend(pid, 5000) FROM locks.session WHERE client = 'dead ${name}'`)
    expect(await other.session.query(name)).toEqual([])
    expect(news.count).toBe(1)
    await comesBy()
    await until('it is told', () => news.count === 2)
  }
})

test('a session that ends tells', async () => {
  const [one, other] = [await openSession(backend), await openSession(backend)]
  const news = await watching(other, 'leaves')
  await one.session.acquire(leading('leaves'))
  await until('it has come', () => news.count === 1)
  await one.session.close()
  await until('it is gone', () => news.count === 2)
})

test('nobody leads before it has its token', async () => {
  const line = await proxy.line({ upstreams: [{ host: '127.0.0.1', port: server.port }], framing: 'postgres' })
  cleanup(() => line.close())
  const through = postgres({ url: `postgres://postgres@127.0.0.1:${line.ports[0]}/postgres` })
  const [first, next, other] = [await openSession(backend), await openSession(through), await openSession(backend)]
  const [held, queued] = [leading('turn'), leading('turn')]
  await first.session.acquire(held)
  expect(await next.session.acquire(queued)).toBe('queued')
  const news = await watching(other, 'turn')
  await line.wire.silence()
  await first.session.remove(held)
  await until('the first is gone', () => news.count === 1)
  expect(await other.session.query('turn')).toMatchObject([{ holds: false, value: 'here' }])
  await line.wire.heal()
  await until('the next has come', () => news.count === 2)
  // Others may see it before it hears of it itself.
  await until('it is told', () => next.granted.length === 1)
  const [grant] = next.granted
  expect(await other.session.query('turn')).toMatchObject([{ holds: true, token: grant?.tokens[0] }])
})
