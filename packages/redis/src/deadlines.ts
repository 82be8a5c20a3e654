import { LockError, type Clock, type Timer } from '@locks/core/backend'

interface Pending {
  readonly since: number
  readonly giveUp: () => void
}

/**
 * Gives up what is pending for too long, because the driver may leave a promise pending for ever, and tells when nothing
 * that was sent since has been answered either. All have the same time, so the oldest is the next one due and one timer
 * serves all.
 */
export class Deadlines {
  readonly #clock: Clock
  readonly #within: number
  readonly #silent: () => void
  readonly #pending = new Set<Pending>()
  /** When the last call was made that has been answered. */
  #answered = Number.NEGATIVE_INFINITY
  #timer: Timer | undefined

  constructor(clock: Clock, within: number, silent: () => void) {
    this.#clock = clock
    this.#within = within
    this.#silent = silent
  }

  add<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const pending: Pending = { since: this.#clock.now().mono, giveUp: () => reject(this.#late()) }
      this.#pending.add(pending)
      this.#timer ??= this.#clock.after(this.#within, () => this.#check())
      promise.then(
        (answer) => {
          this.#pending.delete(pending)
          this.#answered = pending.since
          resolve(answer)
        },
        (error: unknown) => {
          this.#pending.delete(pending)
          reject(error as Error)
        },
      )
    })
  }

  /** Gives up everything. */
  end(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    for (const { giveUp } of this.#pending) giveUp()
    this.#pending.clear()
  }

  #check(): void {
    this.#timer = undefined
    const now = this.#clock.now().mono
    let silent = false
    for (const pending of this.#pending) {
      const left = pending.since + this.#within - now
      if (left > 0) {
        this.#timer = this.#clock.after(left, () => this.#check())
        break
      }
      this.#pending.delete(pending)
      pending.giveUp()
      silent ||= this.#answered < pending.since
    }
    // Once for all that are due together: to the driver each time is one more listener of the connection.
    if (silent) this.#silent()
  }

  #late(): LockError {
    return new LockError('OUTCOME_UNKNOWN', `the Redis server did not answer within ${this.#within} ms`)
  }
}
