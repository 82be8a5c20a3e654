import type { Clock, Instant, Timer } from './clock.ts'
import type { Claim, Grant, Loss, Proof, Session } from './contract.ts'
import { LockError } from './errors.ts'
import { internal } from './keeper.ts'
import { attempt } from './lanes.ts'
import type { Publish } from './telemetry.ts'

export interface UpkeepHost {
  readonly clock: Clock
  readonly publish: Publish
  readonly identity: { readonly backend: string; readonly clientId: string }
  /** All that is to be kept alive: holders and waiters. */
  claims(): readonly Claim[]
  /** What the store says of one of them, to a call that left at `asked`, `mono`. */
  stands(id: string, standing: Grant | Proof | Loss, asked: number): void
  /** What the store has of the session. False: some of it was unknown here. */
  audited(claims: readonly Claim[], session: Session): boolean
}

/** Keeps one session's claims alive, all in one call every third of a ttl, and compares what both sides have. */
export class Upkeep {
  readonly #host: UpkeepHost
  readonly #session: Session
  /** When the pending renewal left. */
  #sentAt: number | undefined
  #renewalDue: number
  #auditDue: number
  #doubtful = false
  #timer: Timer | undefined

  constructor(host: UpkeepHost, session: Session) {
    this.#host = host
    this.#session = session
    const now = host.clock.now().mono
    this.#renewalDue = now + session.ttl / 3
    this.#auditDue = now + 2 * session.ttl
    // Where an orphan lives as long as the session, it is looked for also when nothing is wanted: a call that was given
    // up may take effect at any time.
    if (session.leases === 'session') this.#lookAgain(now)
  }

  /** The session is over. */
  end(): void {
    this.#timer?.cancel()
  }

  /** There is something to keep alive again: what is fresh need not be renewed at once. */
  begin(): void {
    this.#renewalDue = Math.max(this.#renewalDue, this.#host.clock.now().mono + this.#session.ttl / 3)
  }

  /** Whether the store may have something that only an audit finds. */
  get doubtful(): boolean {
    return this.#doubtful
  }

  /**
   * A call went unanswered and may yet be applied, when nobody knows of it any more. There is something to look after
   * until an audit, a ttl from now, finds nothing.
   */
  doubt(): void {
    this.#doubtful = true
    this.#auditDue = this.#host.clock.now().mono + this.#session.ttl
  }

  /**
   * `patience` is how long one renewal may take before the next is sent. Answers in how many milliseconds it wants to
   * run again.
   */
  beat(now: Instant, patience: number): number {
    const pending = this.#sentAt !== undefined && now.mono - this.#sentAt <= patience
    if (now.mono >= this.#renewalDue && !pending) this.#renew(now)
    if (now.mono >= this.#auditDue) this.#audit(now)
    return this.#renewalDue > now.mono ? this.#renewalDue - now.mono : patience
  }

  #lookAgain(now: number): void {
    this.#timer = this.#host.clock.after(Math.max(1, this.#auditDue - now), () => {
      const at = this.#host.clock.now()
      if (at.mono >= this.#auditDue) this.#audit(at)
      this.#lookAgain(at.mono)
    })
  }

  #renew(now: Instant): void {
    const claims = this.#host.claims()
    const sentAt = now.mono
    this.#renewalDue = sentAt + this.#session.ttl / 3
    if (claims.length === 0) return
    this.#sentAt = sentAt
    attempt(() => this.#session.renew(claims)).then(
      (standings) => {
        this.#renewed(sentAt, claims.length)
        for (const [id, standing] of standings) this.#host.stands(id, standing, sentAt)
      },
      (error: unknown) => {
        this.#renewalDue = Math.min(this.#renewalDue, this.#host.clock.now().mono + this.#session.ttl / 12)
        this.#renewed(sentAt, claims.length, LockError.find(error) ?? internal(error))
      },
    )
  }

  #renewed(sentAt: number, claims: number, error?: LockError): void {
    if (this.#sentAt === sentAt) this.#sentAt = undefined
    this.#host.publish('locks:renewed', () => {
      const took = this.#host.clock.now().mono - sentAt
      return { ...this.#host.identity, claims, took, ...(error && { error }) }
    })
  }

  #audit(now: Instant): void {
    const due = now.mono + (this.#doubtful ? 1 : 2) * this.#session.ttl
    this.#auditDue = due
    attempt(() => this.#session.own()).then(
      (claims) => {
        const clean = this.#host.audited(claims, this.#session)
        // Unless another doubt has come up since it left.
        if (clean && this.#auditDue === due) this.#doubtful = false
      },
      // The next audit asks again; a store that stays silent is found by the renewals.
      () => {},
    )
  }
}
