import type { Clock, Instant, Timer } from '@locks/core/backend'

/** A clock that a test moves. Timers run in order of their time, with what they set off, before time goes on. */
export class ManualClock implements Clock {
  #now = 1_000
  readonly #timers = new Set<{ readonly at: number; readonly run: () => void }>()

  now(): Instant {
    return { mono: this.#now, wall: this.#now }
  }

  after(ms: number, run: () => void): Timer {
    const timer = { at: this.#now + ms, run }
    this.#timers.add(timer)
    return { cancel: () => this.#timers.delete(timer) }
  }

  async advance(ms: number): Promise<void> {
    const end = this.#now + ms
    await settled()
    for (;;) {
      const due = [...this.#timers].filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at)[0]
      if (!due) break
      this.#timers.delete(due)
      this.#now = Math.max(this.#now, due.at)
      due.run()
      await settled()
    }
    this.#now = end
  }

  /** Time passes while nothing can run. */
  stall(ms: number): void {
    this.#now += ms
  }
}

/** Everything that promises have set off has run. */
async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
}
