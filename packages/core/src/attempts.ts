import type { Clock } from './clock.ts'
import type { LockError } from './errors.ts'
import type { Random } from './random.ts'

const firstDelay = 50
const longestDelay = 1_000

/** Milliseconds to wait before attempt n (1 is the second): doubling from 50 ms to 1 s, with half of it by chance. */
export function backoff(attempt: number, random: Random): number {
  const full = Math.min(longestDelay, firstDelay * 2 ** (attempt - 1))
  return full / 2 + (full / 2) * random.unit()
}

/** How long a call may take before it is made again. Calls are made so that this does no harm. */
export const patienceFor = (ttl: number): number => Math.min(Math.max(ttl / 4, 250), 2_500)

/** A promise's own outcome, or a rejection when that takes longer than `ms`. */
export function within<T>(clock: Clock, promise: Promise<T>, ms: number, late: () => LockError): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = clock.after(ms, () => reject(late()))
    promise.then(resolve, reject).finally(() => timer.cancel())
  })
}

/** Resolves when a promise has settled either way, or when `ms` have gone by. */
export function settledWithin(clock: Clock, promise: Promise<unknown>, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = clock.after(ms, resolve)
    const settled = () => {
      timer.cancel()
      resolve()
    }
    promise.then(settled, settled)
  })
}
