import type { Leader } from '@locks/core'
import { encodeName, systemClock, systemRandom, type Grant, type Request, type Session } from '@locks/core/backend'
import { startProxy, startZookeeper, type ProxyLine } from '@locks/testkit'
import { zookeeper } from '@locks/zookeeper'
import { afterAll, expect, test } from 'vitest'
import { cleanup, nothingIsLeftAt, open, queued, until, urlOf } from './fixtures.ts'

const server = await startZookeeper()
const proxy = await startProxy()
afterAll(async () => {
  await proxy.end()
  await server.end()
})

const name = encodeName('observed')

interface Client {
  readonly session: Session
  readonly granted: Grant[]
}

async function connect(url = urlOf(server.port)): Promise<Client> {
  const granted: Grant[] = []
  const events = { granted: (grant: Grant) => void granted.push(grant), lost: () => {} }
  const identity = { namespace: 'observers', clientId: systemRandom.id(), owner: 'tester', ttl: 20_000 }
  const options = { ...identity, clock: systemClock, random: systemRandom, events }
  const session = await zookeeper({ url }).open(options)
  cleanup(() => session.close())
  return { session, granted }
}

async function newLine(): Promise<ProxyLine> {
  const line = await proxy.line({ upstreams: [{ host: '127.0.0.1', port: server.port }], framing: 'zookeeper' })
  cleanup(() => line.close())
  return line
}

function request(rest: Partial<Request> = {}): Request {
  return { id: systemRandom.id(), names: [name], mode: 'exclusive', wait: true, steal: false, value: 'mine', ...rest }
}

/** Leads once, for no time. */
async function reign(session: Session): Promise<void> {
  const claim = request()
  await session.acquire(claim)
  await session.remove(claim)
}

async function watch(session: Session, changed: () => void): Promise<() => void> {
  return (await session.watch?.(name, changed)) ?? expect.fail('it cannot watch')
}

const watches = async () => (await server.counts()).watches

test('observers of a name share one watch, which ends with the last of them', async () => {
  const [{ session }, other] = [await connect(), await connect()]
  expect(await watches()).toBe(0)
  const told = [0, 0]
  const first = () => void (told[0] = (told[0] ?? 0) + 1)
  const second = () => void (told[1] = (told[1] ?? 0) + 1)
  // The same function may watch twice.
  const ends = await Promise.all([watch(session, first), watch(session, first), watch(session, second)])
  const one = await watches()
  expect(one).toBeGreaterThan(0)
  await reign(other.session)
  await until('all are told', () => (told[0] ?? 0) >= 4 && (told[1] ?? 0) >= 2)
  ends[0]?.()
  ends[0]?.()
  ends[1]?.()
  const [firsts] = told
  told[1] = 0
  await reign(other.session)
  await until('the last is told', () => (told[1] ?? 0) >= 2)
  expect(told[0]).toBe(firsts)
  expect(await watches()).toBe(one)
  ends[2]?.()
  const again = await watch(session, first)
  await reign(other.session)
  await until('who comes then is told', () => (told[0] ?? 0) > (firsts ?? 0))
  again()
  await until('nothing is left', async () => (await watches()) === 0)
})

test('whoever comes to wait is nobody to an observer', async () => {
  const [{ session }, other] = [await connect(), await connect()]
  const leader = request()
  await other.session.acquire(leader)
  let told = 0
  const end = await watch(session, () => void told++)
  const waiters = Array.from({ length: 5 }, () => request())
  for (const waiter of waiters) expect(await other.session.acquire(waiter)).toBe('queued')
  // Whatever there was to tell has been told before this answer.
  await session.query(name)
  expect(told).toBe(0)
  for (const claim of [...waiters, leader]) await other.session.remove(claim)
  await until('it is told', () => told > 0)
  expect(await session.query(name)).toEqual([])
  end()
})

test('a value goes with its entry through a wait, a grant and a theft, and ends with it', async () => {
  const [a, b] = [await connect(), await connect()]
  const [first, second, thief] = [
    request({ value: 'first' }),
    request({ value: '' }),
    request({ value: '"t\u2028"', steal: true }),
  ]
  const seen = async () =>
    (await a.session.query(name)).map(({ value, holds, token }) => [value, holds, token !== undefined])
  await a.session.acquire(first)
  expect(await b.session.acquire(second)).toBe('queued')
  expect(await seen()).toEqual([
    ['first', true, true],
    ['', false, false],
  ])
  await a.session.remove(first)
  await until('the next is granted', () => b.granted.length === 1)
  expect(await seen()).toEqual([['', true, true]])
  await a.session.acquire(thief)
  expect(await seen()).toEqual([['"t\u2028"', true, true]])
  await a.session.remove(thief)
  const plain = request({ value: undefined })
  await a.session.acquire(plain)
  expect(await a.session.query(name)).toMatchObject([{ holds: true }])
  expect(await seen()).toEqual([[undefined, true, true]])
  await a.session.remove(plain)
  expect(await seen()).toEqual([])
})

test('whoever is seen to lead is seen with the token of its leadership, also when it had to wait', async () => {
  const [a, b, observer] = [
    await open(urlOf(server.port)),
    await open(urlOf(server.port)),
    await open(urlOf(server.port)),
  ]
  const seen: (Leader | null)[] = []
  const observing = (async () => {
    for await (const leader of observer.election('tokens').observe()) seen.push(leader)
  })().catch(() => {})
  const tokens: bigint[] = []
  let leadership = await a.election('tokens').campaign({ value: '0' })
  for (let round = 1; round <= 10; round++) {
    tokens.push(leadership.token)
    await until('it is seen', () => seen.at(-1)?.value === String(round - 1))
    const next = (round % 2 ? b : a).election('tokens').campaign({ value: String(round) })
    await queued(observer, 'tokens', 1)
    await leadership.resign()
    leadership = await next
  }
  await leadership.resign()
  await until('nobody is seen to lead', () => seen.at(-1) === null)
  const led = seen.flatMap((leader) => leader ?? [])
  expect(led.slice(0, 10).map(({ token }) => token)).toEqual(tokens)
  await observer.close()
  await observing
  await Promise.all([a.close(), b.close()])
})

test('observers are told when their watch is made anew, and of what comes then', async () => {
  const line = await newLine()
  const [{ session }, other] = [await connect(urlOf(...line.ports)), await connect()]
  const told = [0, 0]
  const ends = await Promise.all([0, 1].map((at) => watch(session, () => void (told[at] = (told[at] ?? 0) + 1))))
  // So that the watch has been there.
  await reign(other.session)
  await until('both are told', () => told.every((times) => times > 0))
  await line.wire.cut()
  told.fill(0)
  await line.wire.heal()
  await until('both are told though nothing has changed', () => told.every((times) => times > 0))
  told.fill(0)
  await reign(other.session)
  await until('both are told of a change', () => told.every((times) => times > 0))
  for (const end of ends) end()
})

test('observers are told of what they have missed', async () => {
  const line = await newLine()
  const [{ session }, other] = [await connect(urlOf(...line.ports)), await connect()]
  const seen: unknown[] = []
  const end = await watch(session, () => {
    session.query(name).then(
      (entries) => seen.push(entries.find(({ holds }) => holds)?.value),
      () => {},
    )
  })
  await line.wire.cut()
  const leader = request({ value: 'missed' })
  await other.session.acquire(leader)
  await line.wire.heal()
  await until('it is told, and finds it', () => seen.at(-1) === 'missed')
  await other.session.remove(leader)
  await until('it is told of a change, and finds it', () => seen.at(-1) === undefined)
  end()
})

test('a grant that an observer is told of wakes nobody who waits', async () => {
  const line = await newLine()
  const [a, b, c] = [await connect(), await connect(), await connect(urlOf(...line.ports))]
  const [first, second, third] = [request(), request(), request()]
  let told = 0
  await watch(c.session, () => void told++)
  await a.session.acquire(first)
  expect(await b.session.acquire(second)).toBe('queued')
  expect(await c.session.acquire(third)).toBe('queued')
  const before = await line.wire.sent()
  told = 0
  await a.session.remove(first)
  await until('the next is granted', () => b.granted.length > 0)
  await until('the observer is told of both', () => told >= 2)
  // No more than a beat may have left.
  expect((await line.wire.sent()) - before).toBeLessThanOrEqual(1)
  await b.session.remove(second)
  await until('the last is granted', () => c.granted.length > 0)
})

test('what is observed and waited for has two watches, of which each may end alone', async () => {
  const [a, b] = [await connect(), await connect()]
  const [first, second] = [request(), request()]
  await a.session.acquire(first)
  let told = 0
  const end = await watch(b.session, () => void told++)
  expect(await b.session.acquire(second)).toBe('queued')
  end()
  await a.session.remove(first)
  await until('the waiter is granted', () => b.granted.length === 1)
  expect(told).toBe(0)
  await watch(b.session, () => void told++)
  await b.session.remove(second)
  await until('the observer is told', () => told > 0)
  await Promise.all([a.session.close(), b.session.close()])
  await nothingIsLeftAt(server)
})
