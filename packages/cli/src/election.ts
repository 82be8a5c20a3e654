import type { LockManager } from '@locks/core'
import { acquire, type Held } from './store/acquire.ts'

/**
 * Leadership of a name, held until it is released or lost: an exclusive lock. This file is all of `locks` that knows so;
 * it is where `locks.election(name)` goes when core has elections.
 */
export function campaign(locks: LockManager, name: string, owner: string, signal: AbortSignal): Promise<Held> {
  return acquire(locks, { names: [name], owner, signal })
}
