import { elapsed, type Clock, type Instant } from '../clock.ts'
import type { LockEvents } from '../telemetry.ts'

export interface HealthHost {
  readonly clock: Clock
  /** The node's session has ended, and all votes with it. */
  ended(): void
  /** It has become silent, or answers again. */
  changed(doubtful: boolean): void
}

/** What is heard of a node, by way of what its engine tells. */
export class Health {
  readonly #host: HealthHost
  #heardAt: Instant
  #open = false
  #doubtful = true

  constructor(host: HealthHost) {
    this.#host = host
    this.#heardAt = host.clock.now()
  }

  /** Whether it did not answer the last time. */
  get doubtful(): boolean {
    return this.#doubtful
  }

  /** Whether it has a session. */
  get open(): boolean {
    return this.#open
  }

  /** For how many milliseconds it has not been heard of. */
  silentFor(now: Instant): number {
    return elapsed(this.#heardAt, now)
  }

  /** There is something to hear of from now on. */
  expect(now: Instant): void {
    this.#heardAt = now
  }

  heard(): void {
    this.expect(this.#host.clock.now())
    this.#doubts(false)
  }

  doubt(): void {
    this.#doubts(true)
  }

  told<K extends keyof LockEvents>(name: K, message: () => LockEvents[K]): void {
    if (answers.has(name)) this.heard()
    else if (name === 'locks:renewed' && !('error' in message())) this.heard()
    else if (name === 'locks:session') {
      this.#open = (message() as LockEvents['locks:session']).state === 'opened'
      if (this.#open) return this.heard()
      this.doubt()
      this.#host.ended()
    }
  }

  #doubts(doubtful: boolean): void {
    if (this.#doubtful === doubtful) return
    this.#doubtful = doubtful
    this.#host.changed(doubtful)
  }
}

const answers: ReadonlySet<keyof LockEvents> = new Set(['locks:granted', 'locks:queued', 'locks:refused'])
