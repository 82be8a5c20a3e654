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
  const order = names
    .map((name) => ({ name, key: keyOf(encodeName(name)) }))
    .toSorted((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ name }) => name)
  for (;;) {
    const leases = await takeAll(order, demand, by, () => elapsed(started, by.clock.now()))
    if (leases) return leases
  }
}

/** Undefined, with nothing kept, if one was lost while others were waited for: the caller has not had it yet. */
async function takeAll(
  names: readonly string[],
  demand: Demand,
  by: OneByOne,
  waited: () => number,
): Promise<Lease[] | undefined> {
  const leases: Lease[] = []
  const lost = new AbortController()
  const signal = demand.signal ? AbortSignal.any([demand.signal, lost.signal]) : lost.signal
  try {
    for (const name of names) {
      const timeout = demand.timeout && Math.max(1, demand.timeout - waited())
      const lease = await by.acquire(name, { ...demand, timeout, signal })
      if (!lease) throw by.refused(name)
      leases.push(lease)
      lease.onLost(() => lost.abort())
    }
    if (leases.every((lease) => lease.held)) return leases
  } catch (error) {
    await giveBack(leases, by)
    if (lost.signal.aborted && !demand.signal?.aborted) return undefined
    throw error
  }
  await giveBack(leases, by)
  return undefined
}

async function giveBack(leases: readonly Lease[], by: OneByOne): Promise<void> {
  await Promise.all(leases.toReversed().map((lease) => by.release(lease)))
}
