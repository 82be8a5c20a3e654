import { elapsed, type Instant } from './clock.ts'
import { tokenSpacing, type Request } from './contract.ts'
import type { Lease } from './lease.ts'
import type { Waiter } from './waiter.ts'

/** Milliseconds after which an entry goes back to the store, where others may wait for it. */
const longestTenure = 1_000

/**
 * With `handover: 'local'`, the waiters of one manager for one name: one of them contends at the store or holds there,
 * the others stand in line behind it. A lock that is given back passes to the first in line while its entry stays.
 */
export class Lines {
  readonly #lines = new Map<string, Set<Waiter>>()

  /** Whether it has to stand in line; if not, it is the name's contender from now on. */
  join(waiter: Waiter): boolean {
    const name = lineOf(waiter.request)
    if (name === undefined) return false
    const line = this.#lines.get(name)
    if (!line) {
      this.#lines.set(name, new Set())
      return false
    }
    waiter.inLine = true
    line.add(waiter)
    return true
  }

  leave(waiter: Waiter): void {
    for (const name of waiter.request.names) this.#lines.get(name)?.delete(waiter)
  }

  /** Who holds next, by the entry of a lock that its holder has just given back; undefined where that is the store's to say. */
  heir(lease: Lease, now: Instant): Waiter | undefined {
    const lasts = lease.turn + 1 < tokenSpacing && elapsed(lease.enteredAt, now) < longestTenure
    return lasts && lease.fresh(now) ? this.next(lease.request) : undefined
  }

  /** Whose turn it is now that the contender or holder is gone. Nobody's: the line is no more. */
  next(request: Request): Waiter | undefined {
    const name = lineOf(request)
    const line = name === undefined ? undefined : this.#lines.get(name)
    if (name === undefined || !line) return undefined
    const [first] = line
    if (first) {
      line.delete(first)
      first.inLine = false
    } else {
      this.#lines.delete(name)
    }
    return first
  }

  /** Nobody waits any more. */
  clear(): void {
    this.#lines.clear()
  }
}

/**
 * The name under which a request may stand in line: an exclusive lock and nothing else. Others may hold beside each
 * other, are to be refused at once, or have something at the store that says who they are.
 */
function lineOf({ names, mode, wait, steal, value }: Request): string | undefined {
  const plain = mode === 'exclusive' && wait && !steal && value === undefined && names.length === 1
  return plain ? names[0] : undefined
}
