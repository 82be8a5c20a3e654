import type { Claim, Clock, Timer } from '@locks/core/backend'

export interface WaitsOptions {
  readonly clock: Clock
  /** The shortest time between two looks, ms. */
  readonly pace: number
  waiting(): readonly Claim[]
  /** The moment has come at which somebody whom these claims wait for may have expired. */
  look(claims: readonly Claim[]): void
}

/**
 * When somebody whom the session waits for may have expired. Redis tells nobody that an entry has expired: whoever waits
 * asks, at the time that it was told last, and all that is due goes into one question.
 */
export class Waits {
  readonly #options: WaitsOptions
  /** By name: on the monotonic clock. */
  readonly #due = new Map<string, number>()
  #timer: Timer | undefined
  #timerAt = Number.POSITIVE_INFINITY
  #lastLook = Number.NEGATIVE_INFINITY
  #closed = false

  constructor(options: WaitsOptions) {
    this.#options = options
  }

  /** Nobody who holds this name or waits for it expires sooner than in so many milliseconds. */
  expect(name: string, left: number): void {
    const now = this.#options.clock.now().mono
    // One later: what is due in the server's next millisecond has not expired in this one.
    const due = now + Math.max(0, left) + 1
    this.#due.set(name, due)
    this.#schedule(due, now)
  }

  close(): void {
    this.#closed = true
    this.#timer?.cancel()
  }

  #schedule(due: number, now: number): void {
    const at = Math.max(due, this.#lastLook + this.#options.pace)
    if (this.#closed || at >= this.#timerAt) return
    this.#timer?.cancel()
    this.#timerAt = at
    this.#timer = this.#options.clock.after(Math.max(1, at - now), () => this.#look())
  }

  #look(): void {
    const now = this.#options.clock.now().mono
    this.#timerAt = Number.POSITIVE_INFINITY
    const waiting = this.#options.waiting()
    const waited = new Set(waiting.flatMap(({ names }) => names))
    const due = new Set<string>()
    let next = Number.POSITIVE_INFINITY
    for (const [name, at] of this.#due) {
      if (at <= now) due.add(name)
      if (at <= now || !waited.has(name)) this.#due.delete(name)
      else next = Math.min(next, at)
    }
    const claims = waiting.filter(({ names }) => names.some((name) => due.has(name)))
    if (claims.length > 0) {
      this.#lastLook = now
      this.#options.look(claims)
    }
    if (next < Number.POSITIVE_INFINITY) this.#schedule(next, now)
  }
}
