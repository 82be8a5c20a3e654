import { elapsed, type Clock } from './clock.ts'
import type { Demand } from './demand.ts'
import type { LockError } from './errors.ts'
import type { Lease } from './lease.ts'
import { encodeName, keyOf } from './names.ts'

export interface OneByOne {
  readonly clock: Clock
  acquire(name: string, demand: Demand): Promise<Lease | null>
  release(lease: Lease): Promise<unknown>
  refused(name: string): LockError
}

/**
 * Takes several locks one after the other, in the order of their keys: everybody takes them in the same order, so
 * nobody waits for a lock while holding one that a holder of that lock waits for. All or none.
 */
export async function acquireInOrder(names: readonly string[], demand: Demand, by: OneByOne): Promise<Lease[]> {
  const started = by.clock.now()
  const leases: Lease[] = []
  const order = names
    .map((name) => ({ name, key: keyOf(encodeName(name)) }))
    .toSorted((a, b) => (a.key < b.key ? -1 : 1))
  try {
    for (const { name } of order) {
      const timeout = demand.timeout && Math.max(1, demand.timeout - elapsed(started, by.clock.now()))
      const lease = await by.acquire(name, { ...demand, timeout })
      if (!lease) throw by.refused(name)
      leases.push(lease)
    }
    // A lock that was lost while others were waited for makes the set incomplete.
    for (const lease of leases) if (!lease.held) throw lease.error()
    return leases
  } catch (error) {
    await Promise.all(leases.toReversed().map((lease) => by.release(lease)))
    throw error
  }
}
