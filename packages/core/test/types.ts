/** What the compiler must say of the public types; checked with the sources, never run. */
import type { Bearer, Leader, Lock, LockManager } from '@locks/core'

declare const locks: LockManager
declare const maybe: boolean

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false
declare const same: <A, B>(as: Same<A, B>) => void

/** A callback gets a lock, and null only where it may. */
export async function callbacks(): Promise<void> {
  const number = await locks.request('a', async (lock) => {
    same<typeof lock, Lock>(true)
    return 1
  })
  same<typeof number, number>(true)
  await locks.request('a', { mode: 'shared' }, (lock) => same<typeof lock, Lock>(true))
  await locks.request('a', { ifAvailable: true }, (lock) => same<typeof lock, Lock | null>(true))
  await locks.request('a', { ifAvailable: maybe }, (lock) => same<typeof lock, Lock | null>(true))
}

/** What is not an option is not accepted. */
export async function options(): Promise<void> {
  // @ts-expect-error: misspelt
  await locks.acquire('a', { timout: 5 })
  // @ts-expect-error: it never waits
  await locks.tryAcquire('a', { timeout: 5 })
  // @ts-expect-error: a permit is asked for by its semaphore's limit
  await locks.acquire('a', { mode: 'permit' })
  // @ts-expect-error: no such promise
  await import('@locks/core').then(({ openLocks }) => openLocks('memory:', { require: { fencing: 'forever' } }))
}

/** A leadership is a lock; an observer is told of a leader or of nobody. */
export async function elections(): Promise<void> {
  const leadership: Lock = await locks.election('a').campaign({ value: 'here' })
  await leadership.release()
  for await (const leader of locks.election('a').observe()) same<typeof leader, Leader | null>(true)
  // @ts-expect-error: whoever leads is alone
  await locks.election('a').campaign({ mode: 'shared' })
}

/** A guard takes a lock as it is. */
export const bearer = (lock: Lock): Bearer => lock
