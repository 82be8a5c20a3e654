import { settledWithin } from './attempts.ts'
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

  /** Whether no call has to wait for another. */
  get free(): boolean {
    return this.#tails.size === 0
  }

  /**
   * Makes a call when everything earlier about its names has been answered. `atMost` is for how long later calls then
   * wait for its own answer; undefined where the session keeps the order of the calls that were made.
   */
  run<T>(names: readonly string[], call: () => Promise<T>, atMost: number | undefined): Promise<T> {
    const ahead = this.free ? [] : names.flatMap((name) => this.#tails.get(name) ?? [])
    if (ahead.length === 0 && atMost === undefined) return attempt(call)
    const made = Promise.all(ahead).then(() => ({ answer: attempt(call) }))
    const answered = atMost === undefined ? made : made.then(({ answer }) => settledWithin(this.#clock, answer, atMost))
    this.#extend(names, answered)
    return made.then(({ answer }) => answer)
  }

  /** Makes later calls about these names wait for a promise that does not reject. */
  occupy(names: readonly string[], until: Promise<unknown>): void {
    this.#extend(names, until)
  }

  /** Settles when everything that is under way now, about a name or all names, has been answered. */
  async idle(name?: string): Promise<void> {
    await (name === undefined ? Promise.all(this.#tails.values()) : this.#tails.get(name))
  }

  #extend(names: readonly string[], until: Promise<unknown>): void {
    for (const name of names) {
      const before = this.#tails.get(name)
      const tail = before ? Promise.all([before, until]) : until
      this.#tails.set(name, tail)
      void tail.then(() => {
        if (this.#tails.get(name) === tail) this.#tails.delete(name)
      })
    }
  }
}

/** A call's promise, also where an adapter throws in place of rejecting. */
export function attempt<T>(call: () => Promise<T>): Promise<T> {
  try {
    return call()
  } catch (error) {
    return Promise.reject(error as Error)
  }
}
