/**
 * A moment on both of the machine's clocks. The monotonic one stands still while the machine
 * sleeps (nodejs/node#47724); the wall clock jumps when somebody sets it. Neither will do alone.
 */
export interface Instant {
  /** `performance.now()` scale, ms */
  readonly mono: number
  /** `Date.now()` scale, ms */
  readonly wall: number
}

export interface Timer {
  cancel(): void
}

/** The only way in which time enters core and the adapters. */
export interface Clock {
  now(): Instant
  after(ms: number, run: () => void): Timer
}

/** Milliseconds from `since` to `now`: the larger of what the two clocks say, so that an error only shortens a lease. */
export function elapsed(since: Instant, now: Instant): number {
  return Math.max(now.mono - since.mono, now.wall - since.wall)
}

export const systemClock: Clock = {
  now: () => ({ mono: performance.now(), wall: Date.now() }),
  after(ms, run) {
    const timeout = setTimeout(run, ms)
    return { cancel: () => clearTimeout(timeout) }
  },
}
