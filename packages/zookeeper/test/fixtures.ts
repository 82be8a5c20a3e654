import { setTimeout as sleep } from 'node:timers/promises'
import { LockManager, type Lock, type ManagerOptions } from '@locks/core'
import type { ZookeeperServer } from '@locks/testkit'
import { zookeeper } from '@locks/zookeeper'
import { afterEach } from 'vitest'

/** To be undone when the test is over, the latest first. */
const cleanups: (() => unknown)[] = []

afterEach(async () => {
  for (const clean of cleanups.splice(0).toReversed()) await clean()
})

export function cleanup(clean: () => unknown): void {
  cleanups.push(clean)
}

/** Ends a fault, once: when the test asks for it, or when it is over. */
export function ending(end: () => Promise<void>): () => Promise<void> {
  let ended: Promise<void> | undefined
  const once = () => (ended ??= end())
  cleanup(once)
  return once
}

/** Of servers on this machine. */
export const urlOf = (...ports: readonly number[]): string =>
  `zookeeper://${ports.map((port) => `127.0.0.1:${port}`).join()}/locks`

/** A connected manager that is closed with the test. */
export async function open(url: string, options: ManagerOptions = {}): Promise<LockManager> {
  const locks = new LockManager(zookeeper({ url }), options)
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

/** Waits until a server has nothing but its own nodes and the empty root; says what it has, if it never comes to that. */
export async function nothingIsLeftAt(server: ZookeeperServer): Promise<void> {
  // Its own: /, /zookeeper, /zookeeper/config, /zookeeper/quota; at the root: /locks.
  const nothing = JSON.stringify({ sessions: 0, nodes: ownNodes + 1, ephemerals: 0, watches: 0 })
  let left = ''
  await until('nothing is left', async () => (left = JSON.stringify(await server.counts())) === nothing, 10_000).catch(
    (error: unknown) => {
      throw new Error(`left: ${left}`, { cause: error })
    },
  )
}

const ownNodes = 5

/** What nobody has handled in this test: rejections, and exceptions that would have ended the process. */
export function unhandled(): readonly unknown[] {
  const seen: unknown[] = []
  const note = (reason: unknown) => void seen.push(reason)
  for (const event of ['unhandledRejection', 'uncaughtException'] as const) {
    process.on(event, note)
    cleanup(() => process.off(event, note))
  }
  return seen
}

/** Watches a lock, and says when it was lost by its own clock, on the scale of `performance.now()`. */
export function lossOf(lock: Lock): Promise<number> {
  return new Promise((resolve) => lock.signal.addEventListener('abort', () => resolve(lock.expiresAt), { once: true }))
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
