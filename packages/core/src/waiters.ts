import { backoff, patienceFor } from './attempts.ts'
import { elapsed, type Clock, type Instant } from './clock.ts'
import type { Claim, Grant, Request, Session } from './contract.ts'
import { LockError, shown } from './errors.ts'
import { internal } from './keeper.ts'
import { attempt, type Lanes } from './lanes.ts'
import type { Lease } from './lease.ts'
import type { Lines } from './lines.ts'
import type { Random } from './random.ts'
import type { Attempt, Publish } from './telemetry.ts'
import { Waiter, type Limits } from './waiter.ts'

export interface WaitersHost {
  readonly clock: Clock
  readonly random: Random
  readonly lanes: Lanes
  readonly connectTimeout: number
  readonly publish: Publish
  /** The session, if there is one; otherwise one is being opened from now on. */
  session(): Session | undefined
  /** Why there is no session. */
  unavailable(): LockError
  /** By a call that left at `asked`. */
  granted(grant: Grant, claim: Claim, from: Session, asked: Instant): void
  /** Nobody wants this claim any more. */
  discard(claim: Claim, from: Session): void
  /** A call went unanswered and may yet be applied. */
  doubt(from: Session): void
}

/** Everybody who has asked for a lock and has not been answered, in the order of the calls. */
export class Waiters {
  readonly #host: WaitersHost
  readonly #lines: Lines | undefined
  readonly #all = new Map<string, Waiter>()

  /** `lines`: where a manager's own waiters stand in line behind one of them. */
  constructor(host: WaitersHost, lines: Lines | undefined) {
    this.#host = host
    this.#lines = lines
  }

  get size(): number {
    return this.#all.size
  }

  get(id: string): Waiter | undefined {
    return this.#all.get(id)
  }

  /** Those that the store has queued, and that are alive there by renewal. */
  queued(): Claim[] {
    const claims: Claim[] = []
    for (const waiter of this.#all.values()) if (waiter.queued) claims.push(waiter.request)
    return claims
  }

  add(request: Request, attempt: Attempt, limits: Limits): Promise<Lease | null> {
    const now = this.#host.clock.now()
    const waiter = new Waiter(request, attempt, now, limits)
    this.#all.set(request.id, waiter)
    this.#host.publish('locks:request', () => ({ attempt }))
    if (!waiter.unlimited) this.#limit(waiter)
    if (this.#lines?.join(waiter)) this.#tellQueued(waiter)
    else this.#submit(waiter, now)
    return waiter.answer
  }

  grant(waiter: Waiter, lease: Lease): void {
    this.#all.delete(waiter.request.id)
    // Before anybody is told, who might give it up in the same breath: then nobody would have the lock.
    waiter.resolve(lease)
    this.#host.publish('locks:granted', () => ({
      attempt: waiter.attempt,
      tokens: lease.tokens,
      waited: this.#waited(waiter),
      turn: lease.turn,
    }))
  }

  /** The caller is told; what the request may have left at the store is removed behind it. */
  withdraw(waiter: Waiter, reason: unknown): void {
    if (waiter.settled) return
    const { request, session } = waiter
    this.#all.delete(request.id)
    if (session) this.#host.discard(request, session)
    if (session && waiter.sentAt !== undefined) this.#host.doubt(session)
    if (waiter.inLine) this.#lines?.leave(waiter)
    else this.advance(request)
    // Before anybody is told: given up once more, it would send the next in line to the store beside the first.
    waiter.reject(reason)
    this.#host.publish('locks:failed', () => ({ attempt: waiter.attempt, waited: this.#waited(waiter), error: reason }))
  }

  withdrawAll(reason: LockError): void {
    this.#lines?.clear()
    for (const waiter of this.#all.values()) this.withdraw(waiter, reason)
  }

  /** The lock of a request is not held any more, or not wanted: the next of its line asks for it at the store. */
  advance(request: Request): void {
    const next = this.#lines?.next(request)
    if (next) this.#submit(next)
  }

  /** Claims anew what the store no longer has, or gave too late. */
  requeue(waiter: Waiter): void {
    this.#all.delete(waiter.request.id)
    this.#restart(waiter)
    this.#submit(waiter)
  }

  /** There is a session again. */
  submitAll(): void {
    for (const waiter of [...this.#all.values()]) if (!waiter.inLine) this.#submit(waiter)
  }

  /** The session has ended: its ids must not be found again under the next one. */
  restartAll(why: LockError): void {
    const waiting = [...this.#all.values()]
    this.#all.clear()
    for (const waiter of waiting) {
      const { request, doubtful, sentAt } = waiter
      waiter.lastError = why
      // What a try may have left under the old session would refuse it under the next, as if it were somebody else's.
      if (!request.wait && (doubtful || sentAt !== undefined)) {
        this.withdraw(
          waiter,
          new LockError('OUTCOME_UNKNOWN', 'the session ended before the store had answered', { cause: why }),
        )
      } else {
        this.#restart(waiter)
      }
    }
  }

  /** Gives up what must not take longer, and asks again where an answer is late. */
  beat(now: Instant, patience: number): void {
    for (const waiter of this.#all.values()) {
      const late =
        waiter.sentAt !== undefined && now.mono - waiter.sentAt > patience * Math.min(waiter.unanswered + 1, 4)
      if (!waiter.request.wait && elapsed(waiter.since, now) >= this.#host.connectTimeout) {
        this.withdraw(waiter, this.#unanswered(waiter))
      } else if (late) {
        waiter.unanswered++
        this.#doubt(waiter)
        this.#submit(waiter, now)
      }
    }
  }

  #limit(waiter: Waiter): void {
    waiter.limit(
      (ms, run) => this.#host.clock.after(ms, run),
      (why) => this.withdraw(waiter, why === 'abort' ? waiter.abortReason : timedOut(waiter)),
    )
  }

  #submit(waiter: Waiter, now: Instant = this.#host.clock.now()): void {
    const session = this.#host.session()
    if (!session) return
    const { request } = waiter
    waiter.asking = true
    const { lanes } = this.#host
    let asked = now
    const answer =
      session.ordered && lanes.free
        ? attempt(() => ask(waiter, session, now))
        : lanes.run(
            request.names,
            () => {
              // It has had to wait for its turn, and nobody may want it any more.
              if (!waiter.wants(request)) return Promise.resolve(null)
              asked = this.#host.clock.now()
              return ask(waiter, session, asked)
            },
            session.ordered ? undefined : patienceFor(session.ttl),
          )
    answer.then(
      (found) => this.#answered(waiter, request, session, found, asked),
      (error: unknown) => this.#failed(waiter, request, error),
    )
  }

  #answered(waiter: Waiter, request: Request, session: Session, answer: Grant | 'queued' | null, asked: Instant): void {
    if (answer !== null && answer !== 'queued') return this.#host.granted(answer, request, session, asked)
    if (!waiter.wants(request)) {
      // Applied by a call that was given up, maybe after its removal.
      if (answer === 'queued') this.#host.discard(request, session)
      return
    }
    waiter.asking = false
    waiter.sentAt = undefined
    if (answer === null) {
      this.#all.delete(request.id)
      waiter.resolve(null)
      this.#host.publish('locks:refused', () => ({ attempt: waiter.attempt, waited: this.#waited(waiter) }))
    } else if (!waiter.queued) {
      waiter.queued = true
      this.#tellQueued(waiter)
    }
  }

  #tellQueued(waiter: Waiter): void {
    this.#host.publish('locks:queued', () => ({ attempt: waiter.attempt }))
    waiter.onQueued()
  }

  #failed(waiter: Waiter, request: Request, error: unknown): void {
    if (!waiter.wants(request)) return
    waiter.asking = false
    waiter.sentAt = undefined
    waiter.unanswered = 0
    waiter.lastError = LockError.find(error) ?? internal(error)
    if (waiter.lastError.code === 'OUTCOME_UNKNOWN') this.#doubt(waiter)
    if (!waiter.lastError.temporary) return this.withdraw(waiter, waiter.lastError)
    this.#host.clock.after(backoff(waiter.attempts, this.#host.random), () => {
      if (waiter.wants(request) && !waiter.asking && !waiter.queued) this.#submit(waiter)
    })
  }

  #doubt(waiter: Waiter): void {
    waiter.doubtful = true
    if (waiter.session) this.#host.doubt(waiter.session)
  }

  #restart(waiter: Waiter): void {
    waiter.restart(this.#host.random.id())
    this.#all.set(waiter.request.id, waiter)
  }

  #unanswered(waiter: Waiter): LockError {
    if (!waiter.session) return this.#host.unavailable()
    const { doubtful, sentAt, lastError } = waiter
    if (!doubtful && sentAt === undefined && lastError) return lastError
    return new LockError('OUTCOME_UNKNOWN', `the store did not answer within ${this.#host.connectTimeout} ms`)
  }

  #waited(waiter: Waiter): number {
    return elapsed(waiter.since, this.#host.clock.now())
  }
}

function ask(waiter: Waiter, session: Session, now: Instant): Promise<Grant | 'queued' | null> {
  waiter.session = session
  waiter.sentAt = now.mono
  waiter.attempts++
  return session.acquire(waiter.request)
}

function timedOut(waiter: Waiter): LockError {
  const names = waiter.attempt.names.map(shown).join(', ')
  const silent = waiter.queued || waiter.inLine ? '' : '; the store did not answer'
  const message = `${names} was not granted within ${waiter.timeout} ms${silent}`
  return new LockError('TIMEOUT', message, waiter.lastError ? { cause: waiter.lastError } : {})
}
