import { backoff, within } from './attempts.ts'
import type { Clock, Instant } from './clock.ts'
import type { Backend, Claim, Entry, Grant, Loss, Proof, Request, Session } from './contract.ts'
import { elapsed } from './clock.ts'
import { LockError, shown, type LossReason } from './errors.ts'
import { internal, SessionKeeper } from './keeper.ts'
import { Lanes } from './lanes.ts'
import { Lease } from './lease.ts'
import { Pulse } from './pulse.ts'
import type { Random } from './random.ts'
import { Removals, settleWithin } from './removals.ts'
import { publish, type Attempt } from './telemetry.ts'
import { Waiter, type Limits } from './waiter.ts'

export interface EngineOptions {
  readonly ttl: number
  readonly namespace: string
  readonly owner: string
  readonly connectTimeout: number
  readonly clock: Clock
  readonly random: Random
}

/**
 * What a manager wants from its store and what it has there: the waiters, the leases and the removals, kept in
 * step with one session by its answers, its events, and a pulse that renews, gives up and asks again.
 */
export class Engine {
  readonly clientId: string
  readonly clock: Clock
  readonly random: Random
  readonly lanes = new Lanes()
  readonly #backend: Backend
  readonly #connectTimeout: number
  readonly #keeper: SessionKeeper
  readonly #removals = new Removals(this)
  readonly #pulse: Pulse
  /** In the order of the calls. */
  readonly #waiters = new Map<string, Waiter>()
  readonly #leases = new Map<string, Lease>()
  #renewalSentAt: number | undefined
  #renewalDue = 0
  #auditDue = 0
  #closed = false
  #closing: Promise<void> | undefined

  constructor(backend: Backend, options: EngineOptions) {
    const { ttl, namespace, owner, connectTimeout, clock, random } = options
    this.#backend = backend
    this.#connectTimeout = connectTimeout
    this.clock = clock
    this.random = random
    this.clientId = random.id()
    const events = {
      granted: (grant: Grant) => this.#granted(grant),
      lost: (id: string, how: Loss) => this.#lostAtStore(id, how),
    }
    this.#keeper = new SessionKeeper(
      backend,
      { namespace, clientId: this.clientId, owner, ttl, clock, random, events },
      connectTimeout,
      {
        opened: (session) => this.#opened(session),
        ended: (session, why) => this.#ended(session, why),
        refused: (why) => this.#refuseAll(why),
        wanted: () => this.#waiters.size > 0,
      },
    )
    this.#pulse = new Pulse(clock, Math.min(settleWithin, ttl / 6), () => this.#beat())
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
    const now = this.clock.now()
    const waiter = new Waiter(request, attempt, now, limits)
    this.#waiters.set(request.id, waiter)
    publish('locks:request', () => ({ attempt }))
    if (!waiter.unlimited) this.#limit(waiter)
    this.#pulse.start()
    this.#submit(waiter, now)
    return waiter.answer
  }

  /** Ends a lease by its holder's will. */
  release(lease: Lease): Promise<'released' | 'lost'> {
    const now = this.clock.now()
    if (!lease.finish(now)) return Promise.resolve('lost')
    this.#leases.delete(lease.request.id)
    publish('locks:released', () => this.#holding(lease))
    return this.#removals.add(lease.request, lease.session, now)
  }

  async query(name: string | undefined): Promise<readonly Entry[]> {
    if (this.#closed) throw closed()
    const started = this.clock.now()
    for (let attempt = 1; ; attempt++) {
      const session = await this.#keeper.ready()
      const left = this.#connectTimeout - elapsed(started, this.clock.now())
      const late = () => new LockError('UNAVAILABLE', `no answer within ${this.#connectTimeout} ms`)
      try {
        // Every earlier call of this manager is to be seen.
        if (!session.ordered) await within(this.clock, this.lanes.idle(), left, late)
        return await within(this.clock, session.query(name), left, late)
      } catch (error) {
        const why = LockError.find(error) ?? internal(error)
        const pause = backoff(attempt, this.random)
        if (!why.temporary || pause > left) throw why
        await new Promise<void>((resolve) => this.clock.after(pause, resolve))
      }
    }
  }

  /** Lets go of everything. Settles within a second, also when the store is silent. */
  close(): Promise<void> {
    // Before anything else: whoever is told of the end may ask for a lock in the same breath.
    this.#closed = true
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#pulse.stop()
    for (const waiter of this.#waiters.values()) waiter.reject(closed())
    this.#waiters.clear()
    for (const lease of this.#leases.values()) lease.lose('closed')
    const late = () => new LockError('UNAVAILABLE', 'the store did not confirm the end of the session')
    // An end that is not confirmed is not the caller's concern: what is left at the store expires there.
    await within(this.clock, this.#keeper.close(), settleWithin, late).catch(() => {})
  }

  // From the caller's side

  #limit(waiter: Waiter): void {
    waiter.limit(
      (ms, run) => this.clock.after(ms, run),
      (why) => this.#withdraw(waiter, why === 'abort' ? waiter.abortReason : timedOut(waiter)),
    )
  }

  #submit(waiter: Waiter, now: Instant = this.clock.now()): void {
    const session = this.#keeper.current
    if (!session) return this.#keeper.wake()
    const { request } = waiter
    waiter.session = session
    waiter.sentAt = now.mono
    waiter.attempts++
    const answer = this.lanes.enter(request.names, () => session.acquire(request))
    if (!session.ordered) this.lanes.occupy(request.names, this.#bounded(answer, session))
    answer.then(
      (found) => this.#answered(waiter, request, session, found),
      (error: unknown) => this.#failed(waiter, request, error),
    )
  }

  #answered(waiter: Waiter, request: Request, session: Session, answer: Grant | 'queued' | null): void {
    if (answer !== null && answer !== 'queued') return this.#granted(answer, request, session)
    if (waiter.settled || waiter.request !== request) return
    waiter.sentAt = undefined
    if (answer === null) {
      this.#waiters.delete(request.id)
      publish('locks:refused', () => ({ attempt: waiter.attempt, waited: this.#waited(waiter) }))
      waiter.resolve(null)
    } else if (!waiter.queued) {
      waiter.queued = true
      publish('locks:queued', () => ({ attempt: waiter.attempt }))
      waiter.onQueued()
    }
  }

  #failed(waiter: Waiter, request: Request, error: unknown): void {
    if (waiter.settled || waiter.request !== request) return
    waiter.sentAt = undefined
    waiter.lastError = LockError.find(error) ?? internal(error)
    if (!waiter.lastError.temporary) return this.#withdraw(waiter, waiter.lastError)
    this.clock.after(backoff(waiter.attempts, this.random), () => {
      const current = !waiter.settled && waiter.request === request && waiter.session === this.#keeper.current
      if (current && waiter.sentAt === undefined && !waiter.queued) this.#submit(waiter)
    })
  }

  /** The caller is told; what the request may have left at the store is removed behind it. */
  #withdraw(waiter: Waiter, reason: unknown): void {
    if (waiter.settled) return
    const { request, session } = waiter
    this.#waiters.delete(request.id)
    if (session && session === this.#keeper.current) void this.#removals.add(request, session)
    publish('locks:failed', () => ({ attempt: waiter.attempt, waited: this.#waited(waiter), error: reason }))
    waiter.reject(reason)
  }

  /** Claims anew what the store no longer has, or gave too late. */
  #requeue(waiter: Waiter): void {
    this.#waiters.delete(waiter.request.id)
    waiter.restart(this.random.id())
    this.#waiters.set(waiter.request.id, waiter)
    this.#submit(waiter)
  }

  #refuseAll(why: LockError): void {
    for (const waiter of this.#waiters.values()) this.#withdraw(waiter, why)
  }

  // From the store's side

  #granted(grant: Grant, claim?: Claim, from?: Session): void {
    const waiter = this.#waiters.get(grant.id)
    if (!waiter) {
      const lease = this.#leases.get(grant.id)
      if (lease) lease.prove(grant.proof)
      // The answer to a call that was given up, after its removal was confirmed: it has been applied since.
      else if (claim && from && from === this.#keeper.current && !this.#removals.has(grant.id)) {
        void this.#removals.add(claim, from)
      }
      return
    }
    const { request, session } = waiter
    if (!session) return
    const now = this.clock.now()
    const lease = new Lease(request, waiter.attempt, grant, session, this, now)
    if (lease.remaining(now) <= 0) return this.#giveBack(waiter, session)
    this.#waiters.delete(request.id)
    this.#leases.set(request.id, lease)
    publish('locks:granted', () => ({
      attempt: waiter.attempt,
      tokens: grant.tokens,
      waited: this.#waited(waiter),
    }))
    if (request.steal) this.#rob(lease)
    waiter.resolve(lease)
  }

  /** The robbed of the thief's own manager need no word from the store. */
  #rob(thief: Lease): void {
    const [name = ''] = thief.request.names
    for (const lease of this.#leases.values()) {
      const at = lease.request.names.indexOf(name)
      // The loot of a later thief has a higher token, whatever the order of the answers.
      const later = (lease.tokens[at] ?? 0n) > (thief.tokens[0] ?? 0n)
      if (at >= 0 && lease !== thief && !later) lease.lose('stolen')
    }
  }

  /** A grant that arrives after its own deadline protects nothing. */
  #giveBack(waiter: Waiter, session: Session): void {
    if (!waiter.request.wait) {
      return this.#withdraw(waiter, new LockError('UNAVAILABLE', 'the store answered later than the ttl of its grant'))
    }
    void this.#removals.add(waiter.request, session)
    this.#requeue(waiter)
  }

  #lostAtStore(id: string, how: Loss): void {
    this.#leases.get(id)?.lose(how)
    const waiter = this.#waiters.get(id)
    if (waiter?.queued) this.#requeue(waiter)
  }

  #opened(session: Session): void {
    publish('locks:session', () => ({ ...this.#identity(), state: 'opened' as const }))
    this.#renewalSentAt = undefined
    this.#renewalDue = 0
    this.#auditDue = this.clock.now().mono + 2 * session.ttl
    for (const waiter of [...this.#waiters.values()]) this.#submit(waiter)
  }

  #ended(session: Session, why: LockError): void {
    publish('locks:session', () => ({ ...this.#identity(), state: 'ended' as const, error: why }))
    this.#removals.drop(session)
    for (const lease of this.#leases.values()) if (lease.session === session) lease.lose('session')
    const waiting = [...this.#waiters.values()]
    this.#waiters.clear()
    for (const waiter of waiting) {
      // An id of the ended session must not be found again under the next one.
      waiter.restart(this.random.id())
      waiter.lastError = why
      this.#waiters.set(waiter.request.id, waiter)
    }
  }

  /** A removal is stuck for longer than a ttl: only the end of the session frees what it holds. */
  stuck(session: Session): void {
    const why = new LockError('UNAVAILABLE', 'the store did not confirm a removal within the ttl')
    this.#keeper.abandon(session, why)
  }

  /** Called by a lease, once, when it is lost. */
  lost(lease: Lease, reason: LossReason): void {
    this.#leases.delete(lease.request.id)
    publish('locks:lost', () => ({ ...this.#holding(lease), reason }))
    if (reason === 'expired' && lease.session === this.#keeper.current) {
      void this.#removals.add(lease.request, lease.session)
    }
  }

  // In between

  #beat(): number | undefined {
    const now = this.clock.now()
    const session = this.#keeper.current
    const patience = patienceFor(session?.ttl ?? this.#connectTimeout)
    let next = Number.POSITIVE_INFINITY
    for (const lease of this.#leases.values()) {
      if (!lease.heldAt(now)) continue
      next = Math.min(next, lease.remaining(now))
      if (lease.newlyAtRisk(now)) this.#atRisk(lease)
    }
    for (const waiter of this.#waiters.values()) this.#lookAfter(waiter, now, patience)
    this.#removals.beat(now.mono, patience)
    if (session && session === this.#keeper.current) this.#upkeep(session, now, patience)
    const quiet = this.#waiters.size + this.#leases.size + this.#removals.size === 0
    return quiet ? undefined : next
  }

  #lookAfter(waiter: Waiter, now: Instant, patience: number): void {
    if (!waiter.request.wait && elapsed(waiter.since, now) >= this.#connectTimeout) {
      this.#withdraw(waiter, this.#unanswered(waiter))
    } else if (waiter.sentAt !== undefined && now.mono - waiter.sentAt > patience * 2 ** (waiter.attempts - 1)) {
      this.#submit(waiter)
    }
  }

  #unanswered(waiter: Waiter): LockError {
    if (!waiter.session) return this.#keeper.unavailable()
    if (waiter.sentAt === undefined && waiter.lastError) return waiter.lastError
    return new LockError('OUTCOME_UNKNOWN', `the store did not answer within ${this.#connectTimeout} ms`)
  }

  #upkeep(session: Session, now: Instant, patience: number): void {
    const pending = this.#renewalSentAt !== undefined && now.mono - this.#renewalSentAt <= patience
    if (now.mono >= this.#renewalDue && !pending) this.#renew(session, now)
    if (now.mono >= this.#auditDue) this.#audit(session, now)
  }

  #renew(session: Session, now: Instant): void {
    const claims: Claim[] = []
    for (const lease of this.#leases.values()) claims.push(lease.request)
    for (const waiter of this.#waiters.values()) if (waiter.queued) claims.push(waiter.request)
    if (claims.length === 0) return
    const sentAt = now.mono
    this.#renewalSentAt = sentAt
    this.#renewalDue = sentAt + session.ttl / 3
    const done = (error?: LockError) => {
      if (this.#renewalSentAt === sentAt) this.#renewalSentAt = undefined
      if (error) this.#renewalDue = Math.min(this.#renewalDue, this.clock.now().mono + session.ttl / 12)
      publish('locks:renewed', () => ({
        ...this.#identity(),
        claims: claims.length,
        took: this.clock.now().mono - sentAt,
        ...(error && { error }),
      }))
    }
    session.renew(claims).then(
      (standings) => {
        done()
        for (const [id, standing] of standings) this.#stands(id, standing)
      },
      (error: unknown) => done(LockError.find(error) ?? internal(error)),
    )
  }

  #stands(id: string, standing: Grant | Proof | Loss): void {
    if (standing === 'gone' || standing === 'stolen') this.#lostAtStore(id, standing)
    else if ('tokens' in standing) this.#granted(standing)
    else this.#leases.get(id)?.prove(standing)
  }

  /** Removes what the store has of this session and nobody here knows: a call that was applied after its removal. */
  #audit(session: Session, now: Instant): void {
    this.#auditDue = now.mono + 2 * session.ttl
    session.own().then(
      (claims) => {
        if (session !== this.#keeper.current) return
        for (const claim of claims) {
          const known = this.#leases.has(claim.id) || this.#waiters.has(claim.id) || this.#removals.has(claim.id)
          if (!known) void this.#removals.add(claim, session)
        }
      },
      // The next audit asks again; a store that stays silent is found by the renewals.
      () => {},
    )
  }

  #atRisk(lease: Lease): void {
    const { attempt, tokens } = this.#holding(lease)
    publish('locks:at-risk', () => ({ attempt, tokens, expiresAt: lease.expiresAt }))
  }

  #bounded<T>(answer: Promise<T>, session: Session): Promise<T> {
    const late = () => new LockError('OUTCOME_UNKNOWN', 'no answer in time')
    return within(this.clock, answer, patienceFor(session.ttl), late)
  }

  #waited(waiter: Waiter): number {
    return elapsed(waiter.since, this.clock.now())
  }

  #holding(lease: Lease): { attempt: Attempt; tokens: readonly bigint[]; held: number } {
    return { attempt: lease.attempt, tokens: lease.tokens, held: elapsed(lease.grantedAt, this.clock.now()) }
  }

  #identity(): { backend: string; clientId: string } {
    return { backend: this.#backend.name, clientId: this.clientId }
  }
}

/** How long a call may take before it is made again. Calls are made so that this does no harm. */
const patienceFor = (ttl: number): number => Math.min(Math.max(ttl / 4, 250), 2_500)

const closed = (): LockError => new LockError('CLOSED', 'the lock manager was closed')

function timedOut(waiter: Waiter): LockError {
  const names = waiter.attempt.names.map(shown).join(', ')
  const silent = waiter.queued ? '' : '; the store did not answer'
  const message = `${names} was not granted within ${waiter.timeout} ms${silent}`
  return new LockError('TIMEOUT', message, waiter.lastError ? { cause: waiter.lastError } : {})
}
