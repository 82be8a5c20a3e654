import type { Clock } from './clock.ts'

/**
 * Keeps calls about one name in the order in which they were made, where a session does not do so by itself, and
 * behind a removal that has to be repeated: a request must not queue behind its own manager's orphan.
 */
export class Lanes {
  readonly #clock: Clock
  readonly #tails = new Map<string, Promise<unknown>>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Starts a call at once if nothing of these names is under way; otherwise when that has settled. */
  enter<T>(names: readonly string[], call: () => Promise<T>): Promise<T> {
    if (this.#tails.size === 0) return call()
    const ahead = names.flatMap((name) => this.#tails.get(name) ?? [])
    return ahead.length === 0 ? call() : Promise.allSettled(ahead).then(call)
  }

  /** Makes later calls about these names wait until a promise has settled, or for as long as is said. */
  occupy(names: readonly string[], until: Promise<unknown>, atMost?: number): void {
    const end = atMost === undefined ? until : this.#settledWithin(until, atMost)
    for (const name of names) {
      const tail = Promise.allSettled([this.#tails.get(name), end])
      this.#tails.set(name, tail)
      void tail.then(() => {
        if (this.#tails.get(name) === tail) this.#tails.delete(name)
      })
    }
  }

  #settledWithin(promise: Promise<unknown>, ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#clock.after(ms, resolve)
      const settled = () => {
        timer.cancel()
        resolve()
      }
      promise.then(settled, settled)
    })
  }

  /** Settles when everything that is under way now has settled. */
  async idle(): Promise<void> {
    if (this.#tails.size > 0) await Promise.allSettled(this.#tails.values())
  }
}
