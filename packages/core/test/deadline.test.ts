import { LockManager } from '@locks/core'
import { wired } from '@locks/core/conformance'
import { memory } from '@locks/core/memory'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { expect, test } from 'vitest'
import { FakeClock, settled } from './fake-clock.ts'

const ttl = 10_000
/** The margin is a tenth of this ttl. */
const valid = 9_000

async function setUp() {
  const clock = new FakeClock()
  const { backend, wire } = wired(memory())
  const locks = new LockManager(backend, { clock, ttl })
  await locks.connect()
  const lock = await locks.acquire('a')
  return { clock, wire, locks, lock }
}

test('a lock is held up to its deadline and not at it', async () => {
  const { clock, lock } = await setUp()
  expect(lock.expiresAt).toBe(clock.now().mono + valid)
  clock.stall(valid - 1)
  expect(lock.held).toBe(true)
  clock.stall(1)
  expect(lock.held).toBe(false)
})

test('the first read after a stall is right although no timer has run, and latches', async () => {
  const { clock, lock } = await setUp()
  clock.stall(valid + 1)
  expect(lock.held).toBe(false)
  expect(lock.signal.aborted).toBe(true)
  clock.setBack(60_000)
  await clock.advance(ttl)
  expect(lock.held).toBe(false)
  expect(await lock.release()).toBe('lost')
})

test('time asleep counts, and a wall clock set back gives no more time', async () => {
  const asleep = await setUp()
  asleep.clock.sleep(valid)
  expect(asleep.lock.held).toBe(false)
  const setBack = await setUp()
  setBack.clock.setBack(3_600_000)
  setBack.clock.stall(valid)
  expect(setBack.lock.held).toBe(false)
})

test('a proof counts from before the request left, however late its answer', async () => {
  const { clock, wire, lock } = await setUp()
  await wire.silence()
  await clock.advance(valid - 1_000)
  expect(lock.held).toBe(true)
  // Renewals have been under way for long; delivered now, they prove what holds from now on at the store, but the
  // oldest of them was sent when it was sent.
  await wire.heal()
  await settled()
  expect(lock.held).toBe(true)
  await clock.advance(3 * ttl)
  expect(lock.held).toBe(true)
})

test('an answer after the deadline revives nothing, whether the loss has been read or not', async () => {
  const { clock, wire, lock } = await setUp()
  await wire.silence()
  await clock.advance(valid / 2)
  clock.stall(valid / 2)
  await wire.heal()
  await settled()
  expect(lock.held).toBe(false)
  await clock.advance(1_000)
  expect(lock.held).toBe(false)
})

test('at risk comes at half the ttl without a proof, once, and before the loss', async () => {
  const { clock, wire, lock } = await setUp()
  const seen: string[] = []
  const atRisk = () => void seen.push('at risk')
  const lost = () => void seen.push('lost')
  subscribe('locks:at-risk', atRisk)
  subscribe('locks:lost', lost)
  try {
    await clock.advance(2 * ttl)
    expect(seen).toEqual([])
    await wire.silence()
    await clock.advance(2 * ttl)
  } finally {
    unsubscribe('locks:at-risk', atRisk)
    unsubscribe('locks:lost', lost)
  }
  expect(seen).toEqual(['at risk', 'lost'])
  expect(lock.held).toBe(false)
})

test('nothing held, nothing waited for: the one timer stops', async () => {
  const { clock, locks, lock } = await setUp()
  await lock.release()
  await clock.advance(1_000)
  expect(clock.timers).toBe(0)
  await locks.close()
})
