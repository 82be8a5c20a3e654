import { patienceFor, settledWithin } from './attempts.ts'
import { elapsed, type Clock, type Instant } from './clock.ts'
import type { Backend, Claim, Entry, Grant, Loss, Proof, Request, Session } from './contract.ts'
import { LockError, type LossReason } from './errors.ts'
import { closed, SessionKeeper } from './keeper.ts'
import { Lanes } from './lanes.ts'
import { Lease } from './lease.ts'
import { Lines } from './lines.ts'
import { Observation } from './observation.ts'
import { Pulse } from './pulse.ts'
import { Queries } from './queries.ts'
import type { Random } from './random.ts'
import { Removals, settleWithin } from './removals.ts'
import { publish, type Attempt, type Publish } from './telemetry.ts'
import { Thieves } from './thieves.ts'
import { Timers } from './timers.ts'
import { Upkeep } from './upkeep.ts'
import type { Limits, Waiter } from './waiter.ts'
import { Waiters } from './waiters.ts'

export interface EngineOptions {
  readonly ttl: number
  readonly namespace: string
  readonly owner: string
  readonly connectTimeout: number
  readonly clock: Clock
  readonly random: Random
  /** Whether waiters of one name stand in line here, and the lock goes from hand to hand. */
  readonly lines?: boolean | undefined
  /** A new one unless given. */
  readonly clientId?: string | undefined
  /** Where events go; to all who have subscribed unless given. */
  readonly publish?: Publish | undefined
}

/**
 * What a manager wants from its store and what it has there: the waiters, the leases and the removals, kept in
 * step with one session by its answers, its events, and a pulse.
 */
export class Engine {
  readonly clientId: string
  readonly clock: Timers
  readonly #storeClock: Clock
  readonly random: Random
  readonly connectTimeout: number
  readonly publish: Publish
  readonly lanes: Lanes
  readonly identity: { readonly backend: string; readonly clientId: string }
  readonly #keeper: SessionKeeper
  readonly #lines: Lines | undefined
  readonly #waiters: Waiters
  readonly #leases = new Map<string, Lease>()
  readonly #removals = new Removals(this)
  readonly #queries = new Queries(this)
  readonly #observations = new Set<Observation>()
  readonly #pulse: Pulse
  #upkeep: Upkeep | undefined
  readonly #thieves = new Thieves()
  #closed = false
  #closing: Promise<void> | undefined

  constructor(backend: Backend, options: EngineOptions) {
    const { ttl, namespace, owner, connectTimeout, clock, random } = options
    this.clock = new Timers(clock)
    this.#storeClock = clock
    this.random = random
    this.connectTimeout = connectTimeout
    this.publish = options.publish ?? publish
    this.lanes = new Lanes(this.clock)
    this.clientId = options.clientId ?? random.id()
    this.identity = { backend: backend.name, clientId: this.clientId }
    this.#lines = options.lines ? new Lines() : undefined
    this.#waiters = new Waiters(this, this.#lines)
    const events = {
      granted: (grant: Grant) => this.granted(grant),
      lost: (id: string, how: Loss) => this.#lostAtStore(id, how),
    }
    const { clientId } = this
    this.#keeper = new SessionKeeper(backend, { namespace, clientId, owner, ttl, clock, random, events }, this, {
      opened: (session) => this.#opened(session),
      ended: (session, why) => this.#ended(session, why),
      refused: (why) => this.#waiters.withdrawAll(why),
      wanted: () => this.#waiters.size > 0,
    })
    const period = () => Math.min(settleWithin, (this.#keeper.current?.ttl ?? ttl) / 6)
    this.#pulse = new Pulse(this.clock, period, () => this.#beat())
  }

  /** Opens the session, or says within the connect time-out why it cannot. */
  async connect(): Promise<void> {
    if (this.#closed) throw closed()
    await this.#keeper.ready()
  }

  /** A lease; null only when the store refused a request that does not wait. */
  acquire(request: Request, attempt: Attempt, limits: Limits): Promise<Lease | null> {
    if (this.#closed) return Promise.reject(closed())
    if (limits.signal?.aborted) return Promise.reject(limits.signal.reason)
    if (this.#pulse.start()) this.#upkeep?.begin()
    return this.#waiters.add(request, attempt, limits)
  }

  /** Ends a lease by its holder's will. */
  release(lease: Lease): Promise<'released' | 'lost'> {
    const now = this.clock.now()
    if (!lease.finish(now)) return Promise.resolve('lost')
    this.#forget(lease)
    this.publish('locks:released', () => this.#holding(lease))
    // Whoever is told of a loss as its session ends may give back another lock that the same end is about to take.
    const heir = lease.session === this.#keeper.current ? this.#lines?.heir(lease, now) : undefined
    if (heir) return this.#handOn(lease, heir, now)
    const removed = this.#removals.add(lease.request, lease.session, now, lease.remaining(now))
    this.#waiters.advance(lease.request)
    return removed
  }

  /** The store has nothing to do with it: to it the lock is held all the time. */
  #handOn(from: Lease, heir: Waiter, now: Instant): Promise<'released'> {
    const lease = from.handOn(heir.attempt, now)
    this.#leases.set(lease.request.id, lease)
    this.#waiters.grant(heir, lease)
    return Promise.resolve('released')
  }

  /** Settles when everything about a name that nobody wants any more is gone from the store. */
  cleared(name: string): Promise<void> {
    return this.#removals.confirmed(name)
  }

  query(name: string | undefined): Promise<readonly Entry[]> {
    return this.#closed ? Promise.reject(closed()) : this.#queries.ask(name)
  }

  observe(name: string, signal: AbortSignal | undefined): Observation {
    return new Observation(this, name, signal)
  }

  observing(observation: Observation): void {
    this.#observations.add(observation)
  }

  observed(observation: Observation): void {
    this.#observations.delete(observation)
  }

  /** Lets go of everything. Settles within a second, also when the store is silent. */
  close(): Promise<void> {
    // Before anything else: whoever is told of the end may ask for a lock in the same breath.
    this.#closed = true
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#waiters.withdrawAll(closed())
    for (const lease of this.#leases.values()) lease.lose('closed')
    for (const observation of this.#observations) observation.fail(closed())
    this.#queries.close(closed())
    this.#removals.close()
    this.#pulse.stop()
    this.clock.close()
    // An end that is not confirmed is not the caller's concern: what is left at the store expires there.
    await settledWithin(this.#storeClock, this.#keeper.close(), settleWithin)
  }

  /** Whether an entry at the store may pass from one holder to another. */
  get handsOn(): boolean {
    return this.#lines !== undefined
  }

  // For the waiters, the queries and the observations

  session(): Session | undefined {
    this.#keeper.wake()
    return this.#keeper.current
  }

  unavailable(): LockError {
    return this.#keeper.unavailable()
  }

  ready(): Promise<Session> {
    return this.#keeper.ready()
  }

  /** An answer says where it comes from; an event is about a claim that is known or no longer wanted. */
  granted(answer: Grant, claim?: Claim, from?: Session, asked?: Instant): void {
    const grant = asBeforeAnswer(answer, from, asked)
    const waiter = this.#waiters.get(grant.id)
    if (!waiter) return this.#grantedAgain(grant, claim, from)
    const { request, attempt, session } = waiter
    if (!session) return
    const now = this.clock.now()
    const lease = new Lease(request, attempt, grant, session, this, now)
    if (lease.remaining(now) <= 0) {
      return this.#giveBack(waiter, session, 'the store answered later than the ttl of its grant')
    }
    if (waiter.unanswered > 0) this.doubt(session)
    this.#leases.set(request.id, lease)
    if (request.steal) this.#thieves.add(lease, this.#leases.values())
    this.#waiters.grant(waiter, lease)
    this.#thieves.meet(lease)
  }

  /** The answer to a repeated call, to one that was given up, or to one that came through long after. */
  #grantedAgain(grant: Grant, claim?: Claim, from?: Session): void {
    const lease = this.#leases.get(grant.id)
    if (lease?.isOf(grant)) return lease.prove(grant.proof)
    // Others may have held it between the two grants.
    if (lease) lease.lose('gone')
    else if (claim && from) this.discard(claim, from)
    // Nobody knows of it any more; the audit finds what is to be removed.
    else if (!this.#removals.has(grant.id)) this.#upkeep?.doubt()
    this.#pulse.start()
  }

  discard(claim: Claim, from: Session): void {
    if (this.#closed || from !== this.#keeper.current) return
    // The news of its grant has overtaken the answer that it is queued.
    if (this.#leases.has(claim.id)) return
    if (this.#removals.has(claim.id)) this.#removals.repeat(claim.id)
    else void this.#removals.add(claim, from)
    this.#pulse.start()
  }

  doubt(from: Session): void {
    if (from === this.#keeper.current) this.#upkeep?.doubt()
  }

  #forget(lease: Lease): void {
    this.#leases.delete(lease.request.id)
    this.#thieves.delete(lease)
  }

  /** A grant that had ended before it was heard of protects nothing. */
  #giveBack(waiter: Waiter, session: Session, why: string): void {
    if (!waiter.request.wait) return this.#waiters.withdraw(waiter, new LockError('OUTCOME_UNKNOWN', why))
    this.discard(waiter.request, session)
    this.#waiters.requeue(waiter)
  }

  // For the upkeep

  claims(): readonly Claim[] {
    const claims = this.#waiters.queued()
    for (const lease of this.#leases.values()) claims.push(lease.request)
    return claims
  }

  stands(id: string, standing: Grant | Proof | Loss, asked: number): void {
    if (standing === 'gone' || standing === 'stolen') this.#lostAtStore(id, standing)
    else if ('tokens' in standing) this.granted(standing)
    else this.#waits(id, asked)
  }

  /**
   * A lock that waits, said to who asked later than it was granted: its entry was lost, and made anew by a repeated call
   * that came after that. The proof may be older than the question, where a session has one for all that it has.
   */
  #waits(id: string, asked: number): void {
    const lease = this.#leases.get(id)
    if (lease && asked > lease.enteredAt.mono) lease.lose('gone')
  }

  /** Removes what nobody here knows: a call that was applied after its removal. */
  audited(claims: readonly Claim[], session: Session): boolean {
    const unknown = claims.filter(({ id }) => {
      return !this.#leases.has(id) && !this.#waiters.get(id) && !this.#removals.has(id)
    })
    for (const claim of unknown) this.discard(claim, session)
    return unknown.length === 0
  }

  // For the removals and the leases

  /** A removal has not been confirmed for a ttl: only the end of the session frees what it holds. */
  stuck(session: Session): void {
    this.#keeper.abandon(session, new LockError('UNAVAILABLE', 'the store did not confirm a removal within the ttl'))
  }

  /** Called by a lease, once, when it is lost. */
  lost(lease: Lease, reason: LossReason): void {
    this.#forget(lease)
    this.publish('locks:lost', () => ({ ...this.#holding(lease), reason }))
    // Also if it is lost at the store: of a set, that may be one name only; and a repeated call may have come since.
    this.discard(lease.request, lease.session)
    this.#waiters.advance(lease.request)
  }

  #lostAtStore(id: string, how: Loss): void {
    this.#leases.get(id)?.lose(how)
    const waiter = this.#waiters.get(id)
    if (!waiter?.session) return
    const { request, session, queued } = waiter
    if (!queued) {
      // It was granted before it was lost: the answer to come is not to be believed. But a thief would only rob again, and
      // two of them each other for ever: what has become of its lock is found by the next renewal.
      if (!request.steal) this.#giveBack(waiter, session, 'the store took the lock away before it had answered')
      return
    }
    if (request.names.length > 1) this.discard(request, session)
    this.#waiters.requeue(waiter)
  }

  // For the keeper

  #opened(session: Session): void {
    this.publish('locks:session', () => ({ ...this.identity, state: 'opened' as const }))
    this.#upkeep = new Upkeep(this, session)
    this.#pulse.restart()
    this.#waiters.submitAll()
  }

  #ended(session: Session, why: LockError): void {
    this.publish('locks:session', () => ({ ...this.identity, state: 'ended' as const, error: why }))
    this.#upkeep?.end()
    this.#upkeep = undefined
    // What had expired before, unseen, has not ended with its session: the read says so.
    for (const lease of this.#leases.values()) if (lease.held) lease.lose('session')
    // After the losses: whoever is told of one may let go of other locks.
    this.#removals.drop(session)
    for (const observation of this.#observations) observation.left(session)
    this.#waiters.restartAll(why)
  }

  #beat(): number | undefined {
    const now = this.clock.now()
    const patience = patienceFor(this.#keeper.current?.ttl ?? this.connectTimeout)
    this.#waiters.beat(now, patience)
    this.#removals.beat(now.mono, patience)
    let next = this.#upkeep?.beat(now, patience) ?? patience
    for (const lease of this.#leases.values()) {
      if (!lease.heldAt(now)) continue
      next = Math.min(next, lease.remaining(now))
      if (lease.newlyAtRisk(now)) this.#atRisk(lease)
    }
    const busy = this.#waiters.size + this.#leases.size + this.#removals.size > 0 || this.#upkeep?.doubtful
    return busy ? next : undefined
  }

  #atRisk(lease: Lease): void {
    const { attempt, tokens, expiresAt } = lease
    this.publish('locks:at-risk', () => ({ attempt, tokens, expiresAt }))
  }

  #holding(lease: Lease): { attempt: Attempt; tokens: readonly bigint[]; held: number } {
    return { attempt: lease.attempt, tokens: lease.tokens, held: elapsed(lease.grantedAt, this.clock.now()) }
  }
}

/**
 * A session's proof may be newer than the answer that came late, in which an entry is there that has been taken since: it
 * counts from no later than the call.
 */
function asBeforeAnswer(grant: Grant, from: Session | undefined, asked: Instant | undefined): Grant {
  if (from?.leases !== 'session' || !asked || grant.proof.sent.mono <= asked.mono) return grant
  return { ...grant, proof: { ...grant.proof, sent: asked } }
}
