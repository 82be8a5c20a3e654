import { LockError, type Clock, type Timer } from '@locks/core/backend'

export interface DeadlinesOptions {
  readonly clock: Clock
  /** Milliseconds that any call may take. */
  readonly within: number
  /** Nothing has been answered for so long. */
  readonly silent: () => void
  readonly answered: () => void
  /** What the caller is told of a failure, or of one that took too long. */
  readonly failed: (error: unknown) => unknown
}

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
  readonly #options: DeadlinesOptions
  readonly #pending = new Set<Pending>()
  /** When the last call was made that has been answered. */
  #answered = Number.NEGATIVE_INFINITY
  #timer: Timer | undefined

  constructor(options: DeadlinesOptions) {
    this.#options = options
  }

  add<T>(promise: Promise<T>): Promise<T> {
    const { clock, within, answered, failed } = this.#options
    return new Promise((resolve, reject) => {
      const fail = (error: unknown) => {
        if (this.#pending.delete(pending)) reject(failed(error))
      }
      const pending: Pending = { since: clock.now().mono, giveUp: () => fail(this.#late()) }
      this.#pending.add(pending)
      this.#timer ??= clock.after(within, () => this.#check())
      promise.then((answer) => {
        // Also one that comes too late.
        this.#answered = pending.since
        if (!this.#pending.delete(pending)) return
        answered()
        resolve(answer)
      }, fail)
    })
  }

  /** Gives up everything. */
  end(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    for (const { giveUp } of this.#pending) giveUp()
  }

  #check(): void {
    this.#timer = undefined
    const { clock, within } = this.#options
    const now = clock.now().mono
    let silent = false
    for (const pending of this.#pending) {
      const left = pending.since + within - now
      if (left > 0) {
        this.#timer = clock.after(left, () => this.#check())
        break
      }
      pending.giveUp()
      silent ||= this.#answered < pending.since
    }
    // Once for all that are due together: to the driver each time is one more listener of the connection.
    if (silent) this.#options.silent()
  }

  #late(): LockError {
    return new LockError('OUTCOME_UNKNOWN', `the Redis server did not answer within ${this.#options.within} ms`)
  }
}
