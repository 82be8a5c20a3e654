import type { Holding } from '@locks/core'

/** The times at which a command is stopped, in milliseconds. */
export interface Stopping {
  /** Between SIGTERM and SIGKILL. */
  readonly grace: number
  /** Between SIGKILL and the lock's deadline: for the death of the processes, and for a machine that is busy. */
  readonly reserve: number
}

/**
 * The grace, unless another is asked for, and the longest there is, which begins when a lock is at risk, half a ttl after
 * the store has last confirmed it. Each is bought with the other thing that counts: how long a store may be silent before
 * the command pays for it. A confirmation is two fifths of a ttl old before the next one comes, at the worst.
 */
export function stoppingAt(ttl: number): Stopping & { readonly longestGrace: number } {
  const margin = Math.max(ttl / 10, 250)
  const reserve = Math.max(ttl / 20, 100)
  const longestGrace = Math.max(0, ttl / 2 - margin - reserve)
  return { grace: Math.min(ttl / 5, longestGrace), longestGrace, reserve }
}

export interface Stoppable {
  kill(signal: 'SIGTERM' | 'SIGKILL'): void
}

/**
 * Stops a command before its lock can be another's: by SIGTERM when the store has not confirmed the lock for too long,
 * or at once when it is lost; by SIGKILL a grace later, and always before the deadline that the lock had. Every decision
 * is made by the clock of its moment, whatever has kept this process from looking earlier.
 */
export class Deadline {
  readonly #holding: Holding
  readonly #child: Stoppable
  readonly #stopping: Stopping
  readonly #lost = (): void => this.check()
  #timer: NodeJS.Timeout | undefined
  #expiresAt: number
  #killAt: number | undefined
  /** Killed, or gone by itself. */
  #over = false

  constructor(holding: Holding, child: Stoppable, stopping: Stopping) {
    this.#holding = holding
    this.#child = child
    this.#stopping = stopping
    this.#expiresAt = holding.expiresAt
    holding.signal.addEventListener('abort', this.#lost)
    this.check()
  }

  /** Whether the command has been stopped for the lock's sake. */
  get struck(): boolean {
    return this.#killAt !== undefined
  }

  /** Looks at the clock and does what is due. */
  check(): void {
    if (this.#over) return
    // A lock that is lost says when that was; its deadline is what it said before.
    if (this.#holding.held) this.#expiresAt = this.#holding.expiresAt
    // Looking may have found the loss, and come here again.
    if (this.#over) return
    const now = performance.now()
    const { grace, reserve } = this.#stopping
    const latest = this.#expiresAt - reserve
    if (this.#killAt === undefined && (!this.#holding.held || (now >= latest - grace && this.#holding.atRisk))) {
      this.#killAt = Math.min(now + grace, latest)
      if (this.#killAt > now) this.#child.kill('SIGTERM')
    }
    if (this.#killAt !== undefined && now >= this.#killAt) {
      this.end()
      this.#child.kill('SIGKILL')
      return
    }
    const left = (this.#killAt ?? latest - grace) - now
    clearTimeout(this.#timer)
    // A store that grants less than was asked for leaves less than the grace: then it begins when the lock is at risk.
    this.#timer = setTimeout(() => this.check(), left > 0 ? Math.ceil(left) : 20)
  }

  end(): void {
    this.#over = true
    clearTimeout(this.#timer)
    this.#holding.signal.removeEventListener('abort', this.#lost)
  }
}
