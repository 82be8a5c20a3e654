import { elapsed, type Clock, type Instant } from './clock.ts'
import type { Grant, Proof, Request, Session } from './contract.ts'
import { LockError, shown, type LossReason } from './errors.ts'
import type { Attempt } from './telemetry.ts'

/** What a lease tells its engine. */
export interface LeaseHost {
  readonly clock: Clock
  lost(lease: Lease, reason: LossReason): void
}

/** How much sooner than the store the holder lets go: for clocks that run at different rates and for scheduling. */
const margin = (ttl: number): number => Math.max(ttl / 10, 250)

/**
 * One grant, from the store's answer to its end. It is held until its deadline, which is the newest proof's
 * `sent + ttl` less the margin and which every read compares with the clock: after a stalled event loop or a
 * stopped process the first line of code that asks is told the truth, before any timer or event has run.
 */
export class Lease {
  readonly request: Request
  readonly attempt: Attempt
  readonly tokens: readonly bigint[]
  readonly session: Session
  readonly grantedAt: Instant
  /** When the store's grant was heard of; earlier than `grantedAt` for one that was handed on. */
  readonly enteredAt: Instant
  /** How many of its manager have had the lock by the same grant before. */
  readonly turn: number
  readonly #host: LeaseHost
  readonly #minted: readonly bigint[]
  #proof: Proof
  #state: 'held' | 'released' | 'lost' = 'held'
  #reason: LossReason | undefined
  #endedAt: number | undefined
  #warned = false
  #controller: AbortController | undefined
  #listeners: ((error: LockError) => void)[] | undefined
  #onProved: (() => void) | undefined

  constructor(
    request: Request,
    attempt: Attempt,
    grant: Grant,
    session: Session,
    host: LeaseHost,
    now: Instant = host.clock.now(),
    before?: Lease,
  ) {
    this.request = request
    this.attempt = attempt
    this.#minted = grant.tokens
    this.turn = before ? before.turn + 1 : 0
    this.tokens = this.turn === 0 ? grant.tokens : grant.tokens.map((token) => token + BigInt(this.turn))
    this.enteredAt = before?.enteredAt ?? now
    this.session = session
    this.#host = host
    this.#proof = grant.proof
    this.grantedAt = now
  }

  /** The next holder's, by the same entry at the store. */
  handOn(attempt: Attempt, now: Instant): Lease {
    const grant = { id: this.request.id, tokens: this.#minted, proof: this.#proof }
    return new Lease(this.request, attempt, grant, this.session, this.#host, now, this)
  }

  /** Whether the store means this lock. */
  isOf(grant: Grant): boolean {
    return this.#minted.every((token, at) => token === grant.tokens[at])
  }

  /** The newest. */
  get proof(): Proof {
    return this.#proof
  }

  /** Milliseconds to the deadline; zero or less when it has passed. */
  remaining(now: Instant = this.#host.clock.now()): number {
    const { sent, ttl } = this.#proof
    return ttl - elapsed(sent, now) - margin(ttl)
  }

  get held(): boolean {
    return this.heldAt(this.#host.clock.now())
  }

  /** Whether it has ended, as far as anybody has noticed. */
  get ended(): boolean {
    return this.#state !== 'held'
  }

  heldAt(now: Instant): boolean {
    if (this.#state !== 'held') return false
    if (this.remaining(now) > 0) return true
    this.lose('expired', now)
    return false
  }

  /** Whether half the ttl has gone by without a new proof. */
  atRisk(now: Instant = this.#host.clock.now()): boolean {
    return this.#state === 'held' && !this.fresh(now)
  }

  /** Whether the newest proof is young. */
  fresh(now: Instant): boolean {
    return elapsed(this.#proof.sent, now) < this.#proof.ttl / 2
  }

  /** True once for each time that the lease becomes at risk. */
  newlyAtRisk(now: Instant): boolean {
    const risk = this.atRisk(now)
    const fresh = risk && !this.#warned
    this.#warned = risk
    return fresh
  }

  get expiresAt(): number {
    if (this.#endedAt !== undefined) return this.#endedAt
    const now = this.#host.clock.now()
    return now.mono + this.remaining(now)
  }

  /** Takes a newer proof. One that comes after the deadline revives nothing: reading `held` has latched the loss. */
  prove(proof: Proof): void {
    if (!this.held) return
    if (proof.sent.mono + proof.ttl <= this.#proof.sent.mono + this.#proof.ttl) return
    this.#proof = proof
    this.#onProved?.()
  }

  /** The holder's own end. False when there was nothing left to end. */
  finish(now: Instant): boolean {
    if (!this.heldAt(now)) return false
    this.#end('released', now)
    return true
  }

  lose(reason: LossReason, now: Instant = this.#host.clock.now()): void {
    if (this.#state !== 'held') return
    this.#end('lost', now)
    this.#reason = reason
    this.#host.lost(this, reason)
    const error = this.error()
    this.#controller?.abort(error)
    for (const listener of this.#listeners ?? []) listener(error)
  }

  get lossReason(): LossReason | undefined {
    return this.#reason
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    // Asked for after the loss, or in the very read that finds the deadline passed.
    if (!this.held && this.#state === 'lost' && !this.#controller.signal.aborted) this.#controller.abort(this.error())
    return this.#controller.signal
  }

  onLost(listener: (error: LockError) => void): void {
    if (this.#state === 'lost') listener(this.error())
    else (this.#listeners ??= []).push(listener)
  }

  onProved(listener: () => void): void {
    this.#onProved = listener
  }

  /** Why the lease is not held. */
  error(): LockError {
    const names = this.attempt.names.map(shown).join(', ')
    if (this.#state === 'released') return new LockError('RELEASED', `the lock ${names} was released by its holder`)
    const reason = this.#reason ?? 'expired'
    return new LockError('LOST', `the lock ${names} was lost: ${lossTexts[reason]}`, { reason })
  }

  #end(state: 'released' | 'lost', now: Instant): void {
    this.#endedAt = now.mono + Math.min(0, this.remaining(now))
    this.#state = state
  }
}

const lossTexts: Record<LossReason, string> = {
  expired: 'the store did not confirm it in time',
  stolen: 'another request took it by force',
  gone: 'the store no longer has it',
  session: 'the session at the store ended',
  closed: 'its manager was closed',
  fenced: 'a newer holder has been at the resource',
}
