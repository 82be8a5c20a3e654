import type { Clock, Timer } from './clock.ts'

/**
 * The one timer of a manager. It beats while there is anything to look after, and is not touched by an acquire and
 * a release in between, which would otherwise pay for a timer each.
 */
export class Pulse {
  readonly #clock: Clock
  readonly #period: () => number
  readonly #beat: () => number | undefined
  #timer: Timer | undefined
  #stopped = false

  /**
   * `period` is the longest time between two beats, ms; `beat` answers in how many it wants to run again, or undefined
   * when all is quiet.
   */
  constructor(clock: Clock, period: () => number, beat: () => number | undefined) {
    this.#clock = clock
    this.#period = period
    this.#beat = beat
  }

  /** True if it did not beat before. */
  start(): boolean {
    if (this.#timer || this.#stopped) return false
    this.#arm(this.#period())
    return true
  }

  /** The period has changed. */
  restart(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.start()
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
    this.#timer = undefined
  }

  #arm(ms: number): void {
    this.#timer = this.#clock.after(Math.max(1, Math.min(ms, this.#period())), () => {
      this.#timer = undefined
      const next = this.#beat()
      if (next !== undefined && !this.#stopped && !this.#timer) this.#arm(next)
    })
  }
}
