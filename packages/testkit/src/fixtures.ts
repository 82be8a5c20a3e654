/** What the tests of all stores share. They run under vitest. */
import { LockManager, type ManagerOptions } from '@locks/core'
import type { Backend } from '@locks/core/backend'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach } from 'vitest'

/** To be undone when the test is over, the latest first. */
const cleanups: (() => unknown)[] = []

afterEach(async () => {
  for (const clean of cleanups.splice(0).toReversed()) await clean()
})

export function cleanup(clean: () => unknown): void {
  cleanups.push(clean)
}

/** A connected manager that is closed with the test. */
export async function open(backend: Backend, options: ManagerOptions = {}): Promise<LockManager> {
  const locks = new LockManager(backend, options)
  cleanup(() => locks.close())
  await locks.connect()
  return locks
}

/** Waits for a condition, and says how long it took, ms; one that throws does not hold yet. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  within = 20_000,
): Promise<number> {
  const started = performance.now()
  let last: unknown
  while (performance.now() - started <= within) {
    try {
      if (await condition()) return performance.now() - started
    } catch (error) {
      last = error
    }
    await sleep(5)
  }
  throw new Error(`waited ${within} ms in vain until ${what}`, { cause: last })
}

/** How a call settled, and after how many milliseconds. */
export interface Settled<T> {
  readonly value?: T
  readonly error?: unknown
  readonly after: number
}

export async function settled<T>(call: Promise<T>): Promise<Settled<T>> {
  const started = performance.now()
  const outcome = await call.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  )
  return { ...outcome, after: performance.now() - started }
}

/** Waits until so many wait for a name at the store. */
export async function queued(locks: LockManager, name: string, count: number): Promise<void> {
  await until(`${count} wait for ${name}`, async () => (await locks.query(name)).pending.length === count)
}

/** Rejections that nobody has handled since, in this test. */
export function unhandledRejections(): readonly unknown[] {
  const seen: unknown[] = []
  const note = (reason: unknown) => void seen.push(reason)
  process.on('unhandledRejection', note)
  cleanup(() => process.off('unhandledRejection', note))
  return seen
}

/** Numbers between 0 and 1, the same for the same seed. */
export function chance(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** The middle one. */
export function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? Number.NaN
}
