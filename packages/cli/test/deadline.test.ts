import type { Holding } from '@locks/core'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Deadline, stoppingAt } from '../src/child/deadline.ts'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

const ttl = 10_000
const stopping = stoppingAt(ttl)

/** A lock as core has it, proved at the times that a test says. */
class FakeLock implements Pick<Holding, 'held' | 'atRisk' | 'expiresAt' | 'signal'> {
  readonly #ended = new AbortController()
  #proved = performance.now()
  #lostAt: number | undefined

  prove(): void {
    this.#proved = performance.now()
  }

  lose(): void {
    if (this.#lostAt !== undefined) return
    this.#lostAt = performance.now()
    this.#ended.abort()
  }

  get held(): boolean {
    if (performance.now() >= this.#proved + 0.9 * ttl) this.lose()
    return this.#lostAt === undefined
  }

  get atRisk(): boolean {
    return this.held && performance.now() - this.#proved >= ttl / 2
  }

  get expiresAt(): number {
    return this.#lostAt ?? this.#proved + 0.9 * ttl
  }

  get signal(): AbortSignal {
    return this.#ended.signal
  }
}

function setUp(grace = stopping.grace) {
  const lock = new FakeLock()
  const began = performance.now()
  const kills: [signal: string, at: number][] = []
  const child = { kill: (signal: string) => kills.push([signal, Math.round(performance.now() - began)]) }
  return { lock, kills, deadline: new Deadline(lock as unknown as Holding, child, { ...stopping, grace }) }
}

test('silence: SIGTERM when there is as much left as the grace, SIGKILL before the deadline', async () => {
  const { kills, deadline } = setUp()
  await vi.advanceTimersByTimeAsync(6_499)
  expect(deadline.struck).toBe(false)
  await vi.advanceTimersByTimeAsync(60_000)
  expect(kills).toEqual([
    ['SIGTERM', 6_500],
    ['SIGKILL', 8_500],
  ])
  expect(deadline.struck).toBe(true)
})

test('the longest grace begins when the lock is at risk', async () => {
  const { kills } = setUp(stopping.longestGrace)
  await vi.advanceTimersByTimeAsync(60_000)
  expect(kills).toEqual([
    ['SIGTERM', 5_000],
    ['SIGKILL', 8_500],
  ])
})

test('a shorter grace leaves more time for the store', async () => {
  const { kills } = setUp(1_000)
  await vi.advanceTimersByTimeAsync(60_000)
  expect(kills).toEqual([
    ['SIGTERM', 7_500],
    ['SIGKILL', 8_500],
  ])
})

test('without a grace there is SIGKILL alone', async () => {
  const { kills } = setUp(0)
  await vi.advanceTimersByTimeAsync(60_000)
  expect(kills).toEqual([['SIGKILL', 8_500]])
})

test('a lock that is confirmed is left alone, and its end counts from the last proof', async () => {
  const { lock, kills } = setUp()
  for (let i = 0; i < 5; i++) {
    await vi.advanceTimersByTimeAsync(4_900)
    lock.prove()
  }
  expect(kills).toEqual([])
  await vi.advanceTimersByTimeAsync(60_000)
  expect(kills).toEqual([
    ['SIGTERM', 5 * 4_900 + 6_500],
    ['SIGKILL', 5 * 4_900 + 8_500],
  ])
})

test('a proof that comes after SIGTERM takes nothing back', async () => {
  const { lock, kills } = setUp()
  await vi.advanceTimersByTimeAsync(7_000)
  lock.prove()
  await vi.advanceTimersByTimeAsync(60_000)
  expect(kills).toEqual([
    ['SIGTERM', 6_500],
    ['SIGKILL', 8_500],
  ])
})

test('taken away: SIGTERM at once, SIGKILL after the grace', async () => {
  const { lock, kills } = setUp(1_000)
  await vi.advanceTimersByTimeAsync(2_000)
  lock.lose()
  await vi.advanceTimersByTimeAsync(60_000)
  expect(kills).toEqual([
    ['SIGTERM', 2_000],
    ['SIGKILL', 3_000],
  ])
})

test('taken away late: SIGKILL before the deadline that it had', async () => {
  const { lock, kills } = setUp(3_000)
  await vi.advanceTimersByTimeAsync(5_400)
  lock.lose()
  await vi.advanceTimersByTimeAsync(60_000)
  expect(kills).toEqual([
    ['SIGTERM', 5_400],
    ['SIGKILL', 8_400],
  ])
})

test('woken after the deadline: SIGKILL, and nothing before it', async () => {
  const { lock, kills, deadline } = setUp()
  // No timer has run meanwhile.
  const real = performance.now.bind(performance)
  const later = vi.spyOn(performance, 'now').mockImplementation(() => real() + 20_000)
  expect(lock.held).toBe(false)
  deadline.check()
  later.mockRestore()
  expect(kills.map(([signal]) => signal)).toEqual(['SIGKILL'])
})

test('a lock that was lost before the command began kills it', () => {
  const lock = new FakeLock()
  lock.lose()
  vi.advanceTimersByTime(1)
  const kills: string[] = []
  new Deadline(lock as unknown as Holding, { kill: (signal) => kills.push(signal) }, stopping)
  expect(kills).toEqual(['SIGKILL'])
})

test('nobody is killed once the command has ended', async () => {
  const { lock, kills, deadline } = setUp()
  deadline.end()
  lock.lose()
  await vi.advanceTimersByTimeAsync(60_000)
  expect(kills).toEqual([])
})

test.each([1_000, 2_000, 5_000, 10_000, 60_000])(
  'with a ttl of %i there is a grace between risk and deadline',
  (each) => {
    const { grace, longestGrace, reserve } = stoppingAt(each)
    const deadline = each - Math.max(each / 10, 250)
    expect(grace).toBeGreaterThanOrEqual(100)
    expect(grace).toBeLessThanOrEqual(longestGrace)
    expect(deadline - reserve - longestGrace).toBeCloseTo(each / 2)
  },
)
