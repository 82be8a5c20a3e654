import type { Clock, Instant, Timer } from './clock.ts'

/** A clock whose timers can all be cancelled at once: what a manager leaves behind when it is closed is nothing. */
export class Timers implements Clock {
  readonly now: () => Instant
  readonly #clock: Clock
  readonly #running = new Set<Timer>()
  #closed = false

  constructor(clock: Clock) {
    this.#clock = clock
    this.now = () => clock.now()
  }

  /** After `close`, a timer that never runs. */
  after(ms: number, run: () => void): Timer {
    if (this.#closed) return { cancel: () => {} }
    const timer = this.#clock.after(ms, () => {
      this.#running.delete(own)
      run()
    })
    const own: Timer = {
      cancel: () => {
        this.#running.delete(own)
        timer.cancel()
      },
    }
    this.#running.add(own)
    return own
  }

  close(): void {
    this.#closed = true
    for (const timer of this.#running) timer.cancel()
  }
}
