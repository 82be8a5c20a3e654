import { invalid, LockError, shown, unsupported } from './errors.ts'
import type { Mode } from './queue.ts'

/** Whoever comes to a resource: a lock, or what was written down of one, for a job that runs elsewhere. */
export interface Bearer {
  readonly token: bigint
  readonly mode: Mode
}

/** What a resource remembers of all who have come to it: the highest token, and the highest exclusive one. */
export interface Seen {
  readonly newest: bigint
  readonly exclusive: bigint
}

const nobody: Seen = { newest: 0n, exclusive: 0n }

/**
 * The rule of all guards, for resources that keep what they have seen themselves: what to remember from now on. Throws
 * `LOST`, with the reason `fenced`, where a newer holder has been there: an exclusive token must be at least the
 * highest of any, a shared one at least the highest exclusive one, since readers have no order among themselves.
 * Permits are refused (`UNSUPPORTED`).
 *
 * The resource has to read what it has seen, ask this, remember the answer and write in **one atomic step**. A check
 * that is made before the step protects nothing: its caller may be stopped between the two.
 */
export function admit(bearer: Bearer, seen: Seen = nobody): Seen {
  checkBearer(bearer)
  const { token, mode } = bearer
  const alone = mode === 'exclusive'
  const bar = alone ? seen.newest : seen.exclusive
  if (token < bar) throw outdated(token, bar)
  return { newest: token > seen.newest ? token : seen.newest, exclusive: alone ? token : seen.exclusive }
}

/**
 * Guards a resource in the memory of this thread. Each holder enters before its first read, and again before each
 * write; what is done in the same synchronous turn as `enter`, before the next `await`, is one step with it.
 */
export class MemoryGuard {
  #seen = nobody

  /**
   * Lets a holder in, and from now on refuses whoever held the lock before it. Throws `LOST` where a newer one has been
   * let in.
   */
  enter(bearer: Bearer): void {
    this.#seen = admit(bearer, this.#seen)
  }
}

/** Refuses what no guard can judge. */
export function checkBearer(bearer: unknown): asserts bearer is Bearer {
  if (typeof bearer !== 'object' || bearer === null) throw notABearer(bearer)
  const { mode } = bearer as Partial<Bearer>
  if (mode === 'permit') {
    throw unsupported("a permit's token fences nothing: the holders of a semaphore have no order among themselves")
  }
  if (mode !== 'exclusive' && mode !== 'shared') throw notABearer(bearer)
  const { token } = bearer as Partial<Bearer>
  if (typeof token !== 'bigint' || token < 0n) throw invalid(`a token is a bigint from 0; got ${shown(token)}`)
}

/** What whoever comes too late is told, with the newer holder's token where it is known. */
export function outdated(token: bigint, newer?: bigint): LockError {
  const whose = newer === undefined ? '' : `, with ${newer}`
  const message = `the token ${token} is out of date: a newer holder has been here${whose}`
  return new LockError('LOST', message, { reason: 'fenced' })
}

function notABearer(given: unknown): LockError {
  const takes = 'an exclusive or shared lock, or { token, mode } of one (of a set, for one of its names)'
  return invalid(`a guard takes ${takes}; got ${shown(given)}`)
}
