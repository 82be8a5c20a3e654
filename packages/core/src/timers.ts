import type { Clock, Instant, Timer } from './clock.ts'

/** A clock whose timers can all be cancelled at once: what a manager leaves behind when it is closed is nothing. */
export class Timers implements Clock {
  readonly #clock: Clock
  readonly #running = new Set<Timer>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  now(): Instant {
    return this.#clock.now()
  }

  after(ms: number, run: () => void): Timer {
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

  cancelAll(): void {
    for (const timer of this.#running) timer.cancel()
  }
}
