import type { Instant, Timer } from './clock.ts'
import type { Request, Session } from './contract.ts'
import type { LockError } from './errors.ts'
import type { Lease } from './lease.ts'
import type { Attempt } from './telemetry.ts'

/** When a caller stops waiting. */
export interface Limits {
  /** Milliseconds to wait for the lock; absent: for ever, through outages too. */
  readonly timeout?: number | undefined
  readonly signal?: AbortSignal | undefined
  /** Called when the store has queued the request. */
  readonly onQueued?: (() => void) | undefined
}

/** One caller that has asked for a lock and has not been answered. */
export class Waiter {
  /** Under a new id each time that it has to queue anew. */
  request: Request
  readonly attempt: Attempt
  readonly since: Instant
  readonly answer: Promise<Lease | null>
  /** The session that has been asked, if any. */
  session: Session | undefined
  /** Whether a call is under way, or waits for its turn. */
  asking = false
  /** When it was asked, `mono`; undefined when no answer is outstanding. */
  sentAt: number | undefined
  attempts = 0
  /** How many attempts in a row have been given up without any answer. */
  unanswered = 0
  /** Whether an attempt may have been applied although no answer said so. */
  doubtful = false
  queued = false
  /** Whether it stands behind another waiter or holder of its own manager, and asks nothing of the store. */
  inLine = false
  settled = false
  lastError: LockError | undefined
  readonly #limits: Limits
  #onAbort: (() => void) | undefined
  #timer: Timer | undefined
  #resolve!: (lease: Lease | null) => void
  #reject!: (reason: unknown) => void

  constructor(request: Request, attempt: Attempt, since: Instant, limits: Limits) {
    this.request = request
    this.attempt = attempt
    this.since = since
    this.#limits = limits
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  /** Ends the wait by signal or time-out; both are let go of when it ends in another way. */
  limit(after: (ms: number, run: () => void) => Timer, giveUp: (why: 'timeout' | 'abort') => void): void {
    const { signal, timeout } = this.#limits
    if (signal) {
      this.#onAbort = () => giveUp('abort')
      signal.addEventListener('abort', this.#onAbort, { once: true })
    }
    if (timeout !== undefined) this.#timer = after(timeout, () => giveUp('timeout'))
  }

  /** Whether this request still stands for the caller. */
  wants(request: Request): boolean {
    return !this.settled && this.request === request
  }

  get unlimited(): boolean {
    return this.#limits.signal === undefined && this.#limits.timeout === undefined
  }

  get timeout(): number | undefined {
    return this.#limits.timeout
  }

  get abortReason(): unknown {
    return this.#limits.signal?.reason
  }

  onQueued(): void {
    this.#limits.onQueued?.()
  }

  /** Begins again as another claim. */
  restart(id: string): void {
    this.request = { ...this.request, id }
    this.session = undefined
    this.asking = false
    this.sentAt = undefined
    this.attempts = 0
    this.unanswered = 0
    this.doubtful = false
    this.queued = false
  }

  resolve(lease: Lease | null): void {
    this.#settle()
    this.#resolve(lease)
  }

  reject(reason: unknown): void {
    this.#settle()
    this.#reject(reason)
  }

  #settle(): void {
    this.settled = true
    this.#timer?.cancel()
    if (this.#onAbort) this.#limits.signal?.removeEventListener('abort', this.#onAbort)
  }
}
