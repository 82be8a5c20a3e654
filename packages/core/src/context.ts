import { AsyncLocalStorage } from 'node:async_hooks'
import type { Lease } from './lease.ts'

interface Held {
  readonly by: object
  readonly lease: Lease
  /** What the callback around this one holds. */
  outer: Held | undefined
}

const storage = new AsyncLocalStorage<Held>()

/** Runs a callback as one that holds a manager's lock. */
export function holding<T>(by: object, lease: Lease, callback: () => T): T {
  return storage.run({ by, lease, outer: held() }, callback)
}

/** Whether the present asynchronous context runs under a manager's lock of this name. */
export function holds(by: object, name: string): boolean {
  for (let at = held(); at; at = at.outer) {
    if (at.by === by && at.lease.attempt.names.includes(name)) return true
  }
  return false
}

/**
 * What the present context still holds. A run that is started from within another's callback inherits its context for
 * ever, so what has ended is unlinked: a chain of runs must not keep them all.
 */
function held(): Held | undefined {
  let at = storage.getStore()
  while (at?.lease.ended) at = at.outer
  for (let inner = at; inner; inner = inner.outer) while (inner.outer?.lease.ended) inner.outer = inner.outer.outer
  return at
}
