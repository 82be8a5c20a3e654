import { randomUUID } from 'node:crypto'
import type { LockManager } from '@locks/core'

export interface Measured {
  readonly latencyMs: { readonly median: number; readonly max: number; readonly rounds: number }
  /** How far the store's clock is ahead; null where a grant has the time of whoever asked for it. */
  readonly clock: { readonly offsetMs: number; readonly uncertaintyMs: number } | null
}

const rounds = 20
/** Milliseconds; a store may fall silent when it has been reached. */
const timeout = 15_000

/** The backends that write their own time beside a grant. */
const ownClock = /^(?:rediss?|redis\+(?:sentinel|cluster)|postgres(?:ql)?|zookeeper):/i

/** On a name that nobody else uses. */
export async function measure(locks: LockManager, url: string): Promise<Measured> {
  const name = `locks doctor ${randomUUID()}`
  // A store that has only just been started may make the first one wait.
  await (await locks.acquire(name, { timeout })).release()
  const times: number[] = []
  for (let round = 0; round < rounds; round++) {
    const started = performance.now()
    const lock = await locks.acquire(name, { timeout })
    await lock.release()
    times.push(performance.now() - started)
  }
  times.sort((a, b) => a - b)
  const clock = ownClock.test(url) ? await offset(locks, name) : null
  return { latencyMs: { median: times[rounds / 2] ?? 0, max: times.at(-1) ?? 0, rounds }, clock }
}

/**
 * The store read its clock at some moment between the two readings of this machine's: at the grant, or when it was asked
 * who holds, since Postgres writes down a free lock's holder no sooner.
 */
async function offset(locks: LockManager, name: string): Promise<Measured['clock']> {
  const before = Date.now()
  const lock = await locks.acquire(name, { timeout })
  try {
    const { held } = await locks.query(name)
    const half = (Date.now() - before) / 2
    const since = held[0]?.since
    // All three are whole milliseconds, of times that are not.
    return since === undefined ? null : { offsetMs: since - before - half, uncertaintyMs: half + 1 }
  } finally {
    await lock.release()
  }
}
