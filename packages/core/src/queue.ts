import { invalid, shown } from './errors.ts'
import { decodeName } from './names.ts'

/**
 * The one decision that all queues share: given the contenders for a name in their order, who is granted, and
 * whom does another wait for? A contender is granted when it is compatible with everything ahead of it, so the
 * granted are always the first ones, and nobody overtakes.
 */

export type Mode = 'exclusive' | 'shared' | 'permit'

export interface Contender {
  readonly mode: Mode
  /** With `permit`: the semaphore's limit. */
  readonly permits?: number | undefined
  /** With `permit`: how much of the limit it takes. */
  readonly weight?: number | undefined
}

/** Takes contenders in order and says of each whether it may hold beside all those taken before it. */
export class Admission {
  #exclusive = false
  #empty = true
  #weight = 0

  admits(contender: Contender): boolean {
    if (contender.mode === 'exclusive') return this.#empty
    if (contender.mode === 'shared') return !this.#exclusive
    return this.#weight + weightOf(contender) <= (contender.permits ?? 1)
  }

  take(contender: Contender): void {
    this.#empty = false
    if (contender.mode === 'exclusive') this.#exclusive = true
    else if (contender.mode === 'permit') this.#weight += weightOf(contender)
  }
}

/** The contenders that are granted: the longest run from the front in which each is compatible with those ahead. */
export function granted<T extends Contender>(queue: Iterable<T>): T[] {
  const admission = new Admission()
  const holders: T[] = []
  for (const contender of queue) {
    if (!admission.admits(contender)) break
    admission.take(contender)
    holders.push(contender)
  }
  return holders
}

/**
 * Whom the contender at `index` has to watch: the fewest and nearest ones ahead of which at least one must leave
 * before it can be granted. Empty: it is granted. An exclusive contender watches its predecessor, a shared one the
 * last exclusive ahead, a permit as many of the nearest as alone leave no room. So a departure wakes only those whose
 * answer it may change.
 */
export function blockers<T extends Contender>(queue: readonly T[], index: number): T[] {
  const self = queue[index]
  if (!self) throw new RangeError(`no contender at ${index} in a queue of ${queue.length}`)
  const ahead = queue.slice(0, index)
  if (self.mode === 'exclusive') return ahead.slice(-1)
  if (self.mode === 'shared') return ahead.filter((other) => other.mode === 'exclusive').slice(-1)
  const room = (self.permits ?? 1) - weightOf(self)
  let first = index
  let taken = 0
  while (taken <= room && first > 0) taken += weightOf(queue[--first] as T)
  if (taken <= room) return []
  // A light one whose departure would not make room is not worth a watch.
  return queue.slice(first, index).filter((other) => {
    const needed = taken - weightOf(other) <= room
    if (!needed) taken -= weightOf(other)
    return needed
  })
}

/**
 * A name is a lock, or a semaphore of one limit, for as long as it has any entry. Refuses a request for another
 * kind than the first entry's; `name` is as `encodeName` made it.
 */
export function checkKind(name: string, asked: Contender, first: Contender | undefined): void {
  if (!first || kindOf(first) === kindOf(asked)) return
  const there = `${shown(decodeName(name))} is ${kindOf(first)} while it has holders or waiters`
  throw invalid(`${there}; it cannot be ${kindOf(asked)}`)
}

function kindOf(contender: Contender): string {
  return contender.mode === 'permit' ? `a semaphore of ${contender.permits}` : 'a lock'
}

function weightOf(contender: Contender): number {
  return contender.weight ?? 1
}
