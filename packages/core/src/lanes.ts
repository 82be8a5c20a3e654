import { settledWithin } from './attempts.ts'
import type { Clock } from './clock.ts'

/**
 * Keeps calls about one name in the order in which they were made, where a session does not do so by itself, and
 * behind a removal that has to be repeated: a request must not queue behind its own manager's orphan.
 */
export class Lanes {
  readonly #clock: Clock
  readonly #tails = new Map<string, Tail>()

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
    const ahead = this.free ? [] : names.flatMap((name) => this.#tails.get(name)?.passed() ?? [])
    if (ahead.length === 0) {
      const answer = attempt(call)
      if (atMost !== undefined) this.#extend(names, answer, atMost)
      return answer
    }
    const made = Promise.all(ahead).then(() => ({ answer: attempt(call) }))
    const answered = atMost === undefined ? made : made.then(({ answer }) => settledWithin(this.#clock, answer, atMost))
    this.occupy(names, answered)
    return made.then(({ answer }) => answer)
  }

  /** Makes later calls about these names wait for a promise. */
  occupy(names: readonly string[], until: Promise<unknown>): void {
    for (const name of names) {
      const before = this.#tails.get(name)
      this.#extend([name], before ? Promise.all([before.passed(), until]) : until)
    }
  }

  /** Settles when everything that is under way now, about a name or all names, has been answered. */
  async idle(name?: string): Promise<void> {
    if (name === undefined) await Promise.all([...this.#tails.values()].map((tail) => tail.passed()))
    else await this.#tails.get(name)?.passed()
  }

  #extend(names: readonly string[], until: Promise<unknown>, atMost?: number): void {
    const tail = new Tail(this.#clock, until, atMost)
    for (const name of names) this.#tails.set(name, tail)
    const leave = () => {
      for (const name of names) if (this.#tails.get(name) === tail) this.#tails.delete(name)
    }
    until.then(leave, leave)
  }
}

/** The last call about a name. */
class Tail {
  readonly #clock: Clock
  readonly #until: Promise<unknown>
  readonly #atMost: number | undefined
  readonly #since: number
  #passed: Promise<unknown> | undefined

  constructor(clock: Clock, until: Promise<unknown>, atMost: number | undefined) {
    this.#clock = clock
    this.#until = until
    this.#atMost = atMost
    this.#since = atMost === undefined ? 0 : clock.now().mono
  }

  /** When the next call may be made. Most calls have none behind them, and are spared the timer. */
  passed(): Promise<unknown> {
    this.#passed ??= this.#atMost === undefined ? this.#until : this.#within(this.#atMost)
    return this.#passed
  }

  #within(atMost: number): Promise<void> {
    const left = this.#since + atMost - this.#clock.now().mono
    return settledWithin(this.#clock, this.#until, Math.max(0, left))
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
