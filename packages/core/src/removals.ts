import { backoff, patienceFor } from './attempts.ts'
import { elapsed, type Clock, type Instant } from './clock.ts'
import type { Claim, Session } from './contract.ts'
import { attempt as attemptNow, type Lanes } from './lanes.ts'
import type { Random } from './random.ts'

/** How long anybody waits for the store to confirm a removal that goes on behind them. */
export const settleWithin = 500

export interface RemovalHost {
  readonly clock: Clock
  readonly random: Random
  readonly lanes: Lanes
  /** A removal that takes longer than a ttl, of what lives as long as its session: that is to be ended. */
  stuck(session: Session): void
}

interface Removal {
  readonly claim: Claim
  readonly session: Session
  readonly since: Instant
  /** For how many milliseconds from then the store keeps it, whatever its clock. */
  readonly keptFor: number
  /** When the first attempt left. */
  firstSentAt: number | undefined
  /** When the pending attempt left; undefined between two attempts. */
  sentAt: number | undefined
  attempts: number
  /** Whether the claim was applied again since the pending attempt left: its answer will not be the last word. */
  again: boolean
  done: boolean
  settle: (outcome: 'released' | 'lost') => void
  confirm: () => void
  confirmed: Promise<void> | undefined
}

/** Everything that nobody wants any more, until the store confirms that it is gone. */
export class Removals {
  readonly #host: RemovalHost
  readonly #pending = new Map<string, Removal>()

  constructor(host: RemovalHost) {
    this.#host = host
  }

  get size(): number {
    return this.#pending.size
  }

  has(id: string): boolean {
    return this.#pending.has(id)
  }

  /**
   * Removes a claim. Settles, at the latest after a bounded time, with `'lost'` only if the one attempt that was made
   * found nothing while the store had promised to keep it: one of several that finds nothing finds the work of another,
   * and they may overtake each other; and one that comes later than that finds what has expired since.
   */
  add(
    claim: Claim,
    session: Session,
    now: Instant = this.#host.clock.now(),
    keptFor = 0,
  ): Promise<'released' | 'lost'> {
    return new Promise((settle) => {
      const removal: Removal = {
        claim,
        session,
        since: now,
        keptFor,
        firstSentAt: undefined,
        sentAt: undefined,
        attempts: 0,
        again: false,
        done: false,
        settle,
        confirm: nothing,
        confirmed: undefined,
      }
      this.#pending.set(claim.id, removal)
      this.#attempt(removal, now)
    })
  }

  /** Settles when everything about a name that is being removed now is gone. */
  async confirmed(name: string): Promise<void> {
    const about = [...this.#pending.values()].filter(({ claim }) => claim.names.includes(name))
    await Promise.all(about.map(confirmation))
  }

  /** The store may have applied a claim after the removal of it that is under way. */
  repeat(id: string): void {
    const removal = this.#pending.get(id)
    if (removal) removal.again = true
  }

  /** The session has ended, and all its entries with it. */
  drop(session: Session): void {
    for (const removal of this.#pending.values()) if (removal.session === session) this.#finish(removal, 'released')
  }

  /** Nobody is to wait for a confirmation any more, and nothing is to be repeated. */
  close(): void {
    for (const removal of this.#pending.values()) this.#finish(removal, 'released')
  }

  /** Looks after the removals that take long; `patience` is how long one attempt may take. */
  beat(now: number, patience: number): void {
    for (const removal of this.#pending.values()) {
      const { since, sentAt, firstSentAt, session } = removal
      if (now - since.mono >= settleWithin) removal.settle('released')
      if (firstSentAt !== undefined && now - firstSentAt > session.ttl) this.#overdue(removal)
      else if (sentAt !== undefined && now - sentAt > patience) this.#repeat(removal, removal.attempts)
    }
  }

  #attempt(removal: Removal, now?: Instant): void {
    const { claim, session } = removal
    const { lanes } = this.#host
    const attempt = ++removal.attempts
    let sent = now
    const call = () => {
      removal.again = false
      removal.sentAt = (sent ?? this.#host.clock.now()).mono
      removal.firstSentAt ??= removal.sentAt
      return session.remove(claim)
    }
    const atMost = session.ordered ? undefined : patienceFor(session.ttl)
    // A repeated attempt is what occupies the lane, so it must not wait in it.
    const answer = attempt === 1 ? lanes.run(claim.names, call, atMost) : attemptNow(call)
    sent = undefined
    answer.then(
      (found) => {
        if (removal.again) this.#repeat(removal, attempt)
        else this.#finish(removal, found || removal.attempts > 1 || this.#mayHaveExpired(removal) ? 'released' : 'lost')
      },
      () => this.#repeat(removal, attempt),
    )
  }

  #mayHaveExpired({ since, keptFor }: Removal): boolean {
    return elapsed(since, this.#host.clock.now()) >= keptFor
  }

  #repeat(removal: Removal, after: number): void {
    // An attempt that was given up may still fail later: it has been repeated already.
    if (removal.done || removal.attempts !== after || removal.sentAt === undefined) return
    removal.sentAt = undefined
    if (after === 1) this.#host.lanes.occupy(removal.claim.names, confirmation(removal))
    this.#host.clock.after(backoff(after, this.#host.random), () => {
      if (!removal.done) this.#attempt(removal)
    })
  }

  /** Nobody has renewed it for a ttl. */
  #overdue(removal: Removal): void {
    if (removal.session.leases === 'entry') this.#finish(removal, 'released')
    else this.#host.stuck(removal.session)
  }

  #finish(removal: Removal, outcome: 'released' | 'lost'): void {
    if (removal.done) return
    removal.done = true
    this.#pending.delete(removal.claim.id)
    removal.settle(outcome)
    removal.confirm()
  }
}

function confirmation(removal: Removal): Promise<void> {
  removal.confirmed ??= new Promise((resolve) => (removal.confirm = resolve))
  return removal.confirmed
}

const nothing = (): void => {}
