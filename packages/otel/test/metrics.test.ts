import { channel } from 'node:diagnostics_channel'
import { LockError, LockManager, type Attempt, type ManagerOptions } from '@locks/core'
import { memory } from '@locks/core/memory'
import { quorum } from '@locks/core/quorum'
import { instrumentLocks, withoutIds, type InstrumentLocksOptions } from '@locks/otel'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ManualClock } from './manual-clock.ts'
import { Sdk, type Point } from './sdk.ts'

const ttl = 10_000
const own = { 'locks.backend': 'memory', 'locks.mode': 'exclusive' }
let sdk: Sdk
let clock: ManualClock
const cleanups: (() => unknown)[] = []

beforeEach(() => {
  sdk = new Sdk()
  clock = new ManualClock()
})

afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean()
  await sdk.shutdown()
})

function watch(options: InstrumentLocksOptions = {}) {
  const { meterProvider, tracerProvider } = sdk
  const telemetry = instrumentLocks({ meterProvider, tracerProvider, ...options })
  cleanups.push(() => telemetry.disable())
  return telemetry
}

function manager(options: ManagerOptions = {}, backend = memory()): LockManager {
  const locks = new LockManager(backend, { clock, ttl, ...options })
  cleanups.push(() => locks.close())
  return locks
}

const failed = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.unreachable('it was granted'),
    (error: unknown) => error,
  )

/** What a histogram has counted, by its attributes; seconds. */
async function durations(name: string): Promise<Record<string, unknown>[]> {
  const points = await sdk.points(name)
  return points.map(({ attributes, value }: Point) => {
    if (typeof value === 'number') return expect.unreachable('it is no histogram')
    return { ...attributes, count: value.count, sum: value.sum }
  })
}

test('how long a lock was waited for and held, in seconds', async () => {
  watch()
  const locks = manager()
  const holder = await locks.acquire('a')
  const waiting = locks.acquire('a')
  await clock.advance(300)
  await holder.release()
  const next = await waiting
  await clock.advance(2_000)
  await next.release()
  expect(await durations('locks.acquire.duration')).toEqual([
    { ...own, 'locks.outcome': 'granted', count: 2, sum: 0.3 },
  ])
  expect(await durations('locks.hold.duration')).toEqual([{ ...own, 'locks.outcome': 'released', count: 2, sum: 2.3 }])
})

test('buckets reach from a free lock to a leader that stays', async () => {
  watch()
  const lock = await manager().acquire('a')
  await lock.release()
  for (const [name, least, most] of [
    ['locks.acquire.duration', 0.001, 300],
    ['locks.hold.duration', 0.001, 3_600],
  ] as const) {
    expect((await sdk.metric(name))?.descriptor.unit).toBe('s')
    const [point] = await sdk.points(name)
    if (typeof point?.value !== 'object') return expect.unreachable('it is no histogram')
    const { boundaries } = point.value.buckets
    expect([boundaries[0], boundaries.at(-1)]).toEqual([least, most])
  }
})

test('who holds and who waits, now', async () => {
  const telemetry = watch()
  const locks = manager()
  const counts = async () => [await sdk.total('locks.held'), await sdk.total('locks.waiting')]
  const holder = await locks.acquire('a')
  const readers = [locks.acquire('a', { mode: 'shared' }), locks.acquire('a', { mode: 'shared' })]
  await clock.advance(1)
  expect(await counts()).toEqual([1, 2])
  expect(await sdk.total('locks.waiting', { 'locks.mode': 'shared' })).toBe(2)
  await holder.release()
  const [one, other] = await Promise.all(readers)
  expect(await counts()).toEqual([2, 0])
  await one?.release()
  await other?.release()
  expect(await counts()).toEqual([0, 0])
  // Nothing of them is kept that could be taken off once more.
  telemetry.disable()
  expect(await counts()).toEqual([0, 0])
})

test('what ends a wait without a lock: a refusal, a time-out, an abort, an end, each by itself', async () => {
  watch()
  const locks = manager()
  const holder = await locks.acquire('a')
  expect(await locks.tryAcquire('a')).toBe(null)
  const late = failed(locks.acquire('a', { timeout: 100 }))
  await clock.advance(100)
  await late
  const abort = new AbortController()
  const aborted = failed(locks.acquire('a', { signal: abort.signal }))
  abort.abort()
  await aborted
  const reasoned = new AbortController()
  const custom = failed(locks.acquire('a', { signal: reasoned.signal }))
  reasoned.abort('user 4711 went away')
  await custom
  await failed(locks.acquire('a', { signal: AbortSignal.timeout(1) }))
  const closed = failed(locks.acquire('a'))
  await locks.close()
  await closed
  expect(await holder.release()).toBe('lost')
  const ends = (await durations('locks.acquire.duration')).map(({ count, ...attributes }) => [
    attributes['locks.outcome'],
    attributes['error.type'],
    count,
  ])
  expect(ends).toEqual([
    ['granted', undefined, 1],
    ['refused', undefined, 1],
    ['failed', 'TIMEOUT', 1],
    ['failed', 'AbortError', 2],
    ['failed', 'TimeoutError', 1],
    ['failed', 'CLOSED', 1],
  ])
  expect(await sdk.total('locks.timeouts', own)).toBe(1)
  expect(await sdk.total('locks.waiting')).toBe(0)
})

test('losses by reason; what is rare is shown as none before the first', async () => {
  watch()
  const locks = manager()
  await locks.acquire('stolen')
  for (const name of ['locks.timeouts', 'locks.at_risk', 'locks.handovers']) {
    expect((await sdk.points(name)).map(({ value }) => value)).toEqual([0])
  }
  expect(await sdk.total('locks.losses')).toBe(0)
  expect((await sdk.points('locks.losses')).map(({ attributes }) => attributes['locks.loss.reason'])).toEqual([
    'expired',
    'stolen',
    'gone',
    'session',
    'closed',
  ])
  const thief = await locks.acquire('stolen', { steal: true })
  await thief.release()
  const expired = await locks.acquire('expired')
  clock.stall(ttl)
  expect(expired.held).toBe(false)
  await locks.acquire('closed')
  await locks.close()
  const byReason = async (reason: string) => sdk.total('locks.losses', { ...own, 'locks.loss.reason': reason })
  expect(await Promise.all(['stolen', 'expired', 'closed'].map(byReason))).toEqual([1, 1, 1])
  expect(await sdk.total('locks.losses')).toBe(3)
  expect(await sdk.total('locks.hold.duration', { 'locks.outcome': 'lost', 'error.type': 'LOST' })).toBe(3)
  expect(await sdk.total('locks.held')).toBe(0)
})

test('a lock that was not confirmed for half its ttl is at risk, once', async () => {
  watch()
  const locks = manager()
  const lock = await locks.acquire('a')
  expect(await sdk.total('locks.at_risk')).toBe(0)
  clock.stall(ttl * 0.6)
  await clock.advance(1)
  expect(await sdk.total('locks.at_risk', own)).toBe(1)
  expect(await lock.release()).toBe('released')
})

test('locks that pass from caller to caller of one manager', async () => {
  watch()
  const locks = manager({ handover: 'local' })
  const holder = await locks.acquire('a')
  const line = [locks.acquire('a'), locks.acquire('a')]
  await holder.release()
  for (const next of line) await (await next).release()
  await (await locks.acquire('a')).release()
  expect(await sdk.total('locks.handovers', own)).toBe(2)
})

test('renewals are round trips, one for all locks, with how long they took and why they failed', async () => {
  watch()
  const locks = manager()
  await locks.acquire('a')
  await locks.acquire('b')
  await clock.advance(ttl * 0.9)
  // The store in memory answers at once, always.
  const error = new LockError('UNAVAILABLE', 'the store is away')
  channel('locks:renewed').publish({ backend: 'memory', clientId: 'a', claims: 1, took: 250, error })
  expect(await durations('locks.renewal.duration')).toEqual([
    { 'locks.backend': 'memory', count: 2, sum: 0 },
    { 'locks.backend': 'memory', 'error.type': 'UNAVAILABLE', count: 1, sum: 0.25 },
  ])
})

test('a lock of a quorum is one lock, and renewals are those of its nodes', async () => {
  watch()
  const locks = manager({}, quorum([memory(), memory(), memory()]))
  const lock = await locks.acquire('a')
  expect(await sdk.points('locks.held')).toMatchObject([{ attributes: { 'locks.backend': 'quorum' }, value: 1 }])
  await clock.advance(ttl / 2)
  expect(await sdk.total('locks.renewal.duration', { 'locks.backend': 'memory' })).toBe(3)
  await lock.release()
  expect(await sdk.total('locks.held')).toBe(0)
})

test('a session that ends is counted, and shown as none before', async () => {
  watch()
  const locks = manager()
  await locks.acquire('a')
  expect(await sdk.points('locks.session.ends')).toMatchObject([
    { attributes: { 'locks.backend': 'memory' }, value: 0 },
  ])
  channel('locks:session').publish({ backend: 'memory', clientId: 'a', state: 'ended' })
  expect(await sdk.total('locks.session.ends')).toBe(1)
})

test('a loss that is told before its grant is counted as a loss, and nothing stays held', async () => {
  watch()
  const attempt: Attempt = { names: ['a'], mode: 'exclusive', backend: 'memory', namespace: 'n', clientId: 'c' }
  const tokens = [1n]
  channel('locks:request').publish({ attempt })
  channel('locks:lost').publish({ attempt, tokens, held: 0, reason: 'stolen' })
  channel('locks:granted').publish({ attempt, tokens, waited: 5, turn: 0 })
  expect(await sdk.total('locks.losses')).toBe(1)
  expect(await sdk.total('locks.acquire.duration')).toBe(1)
  expect([await sdk.total('locks.held'), await sdk.total('locks.waiting')]).toEqual([0, 0])
})

test('names are left out, unless a function says what they become', async () => {
  watch()
  const locks = manager()
  await locks.acquire('order:42')
  expect((await sdk.points('locks.held')).map(({ attributes }) => attributes)).toEqual([own])
})

test('names that come to the same are one series; a set has a name if all of its names do', async () => {
  watch({ name: withoutIds })
  const locks = manager()
  for (const name of ['order:1', 'order:2', 'stock']) await locks.acquire(name)
  await locks.acquireAll(['account:1', 'account:2'])
  await locks.acquireAll(['a', 'b'])
  const held = (await sdk.points('locks.held')).map(({ attributes, value }) => [attributes['locks.name'], value])
  expect(held).toEqual([
    ['order:?', 2],
    ['stock', 1],
    ['account:?', 1],
    [undefined, 1],
  ])
})
