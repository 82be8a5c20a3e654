import type { Clock, Instant, Timer } from '@locks/core/backend'

/** A clock that a test moves. Timers run in order of their time, with everything they set off, before time goes on. */
export class FakeClock implements Clock {
  #mono = 1_000
  #wall = 1_700_000_000_000
  #serial = 0
  readonly #timers = new Map<number, { at: number; run: () => void }>()

  now(): Instant {
    return { mono: this.#mono, wall: this.#wall }
  }

  after(ms: number, run: () => void): Timer {
    const id = ++this.#serial
    this.#timers.set(id, { at: this.#mono + ms, run })
    return { cancel: () => this.#timers.delete(id) }
  }

  get timers(): number {
    return this.#timers.size
  }

  /** Time passes, and every timer that falls due runs in its turn. */
  async advance(ms: number): Promise<void> {
    const end = this.#mono + ms
    await settled()
    for (;;) {
      const due = [...this.#timers].filter(([, { at }]) => at <= end).toSorted(([, a], [, b]) => a.at - b.at)[0]
      if (!due) break
      const [id, { at, run }] = due
      this.#timers.delete(id)
      this.#pass(Math.max(0, at - this.#mono))
      run()
      await settled()
    }
    this.#pass(end - this.#mono)
  }

  /** Time passes while nothing can run: a blocked event loop, a stopped process. */
  stall(ms: number): void {
    this.#pass(ms)
  }

  /** The machine sleeps: the monotonic clock stands still. */
  sleep(ms: number): void {
    this.#wall += ms
  }

  /** Somebody sets the wall clock. */
  setBack(ms: number): void {
    this.#wall -= ms
  }

  #pass(ms: number): void {
    this.#mono += ms
    this.#wall += ms
  }
}

/** Everything that promises have set off has run. */
export async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
}
