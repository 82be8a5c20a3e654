import { patienceFor, settledWithin } from '../attempts.ts'
import type { Claim, Entry, Grant, Loss, Proof, Request, Session, SessionOptions } from '../contract.ts'
import { LockError } from '../errors.ts'
import { Timers } from '../timers.ts'
import type { Electorate } from './ballot.ts'
import { QuorumClaim } from './claim.ts'
import { atLeast } from './gather.ts'
import type { Node } from './node.ts'
import { electors } from './rounds.ts'
import { leads, mayLead, tally } from './tally.ts'
import { Watch } from './watch.ts'

/** Milliseconds for which a question waits for the other nodes when a majority has answered. */
const moment = 250

/** A session with a majority of the nodes, whichever they are at the moment. */
export class QuorumSession implements Session {
  readonly ordered = false
  /** What is left at a node is looked after by the node's own engine. */
  readonly leases = 'entry'
  readonly ttl: number
  readonly ended: Promise<LockError>
  readonly #options: SessionOptions
  readonly #electorate: Electorate
  readonly #clock: Timers
  readonly #watch: Watch
  readonly #claims = new Map<string, QuorumClaim>()
  readonly #removed = new Map<string, Promise<boolean>>()
  #end!: (why: LockError) => void
  #over: LockError | undefined

  constructor(nodes: readonly Node[], majority: number, fencing: boolean, options: SessionOptions) {
    const clock = new Timers(options.clock)
    const ttl = Math.min(...nodes.map((node) => node.ttl ?? options.ttl))
    this.ttl = ttl
    this.ended = new Promise((resolve) => (this.#end = resolve))
    this.#options = options
    this.#electorate = { nodes, majority, fencing, clock, patience: patienceFor(ttl) }
    this.#clock = clock
    const deserted = () => this.#leave('have answered for a ttl')
    this.#watch = new Watch({ clock, ttl, nodes, majority, claims: this.#claims, deserted })
  }

  acquire(request: Request): Promise<Grant | 'queued' | null> {
    if (this.#over) return Promise.reject(this.#over)
    const known = this.#claims.get(request.id)
    const standing = known?.standing
    if (known) return standing === undefined || standing === 'gone' ? known.answer : Promise.resolve(standing)
    const { random, events } = this.#options
    const claim = new QuorumClaim(request, {
      ...this.#electorate,
      random,
      ttl: this.ttl,
      granted: (grant) => events.granted(grant),
      gone: (id) => events.lost(id, 'gone'),
    })
    this.#claims.set(request.id, claim)
    // What was refused, or has failed, leaves nothing that a repeated call could find.
    const drop = () => void this.#claims.delete(request.id)
    claim.answer.then((answer) => answer ?? drop(), drop)
    this.#watch.start()
    return claim.answer
  }

  /** The nodes' engines renew the votes: this says what is known, and newer proofs are told as they come. */
  renew(claims: readonly Claim[]): Promise<ReadonlyMap<string, Grant | Proof | Loss>> {
    if (this.#over) return Promise.reject(this.#over)
    const sent = this.#clock.now()
    const standings = new Map<string, Grant | Proof | Loss>()
    for (const { id } of claims) {
      const claim = this.#claims.get(id)
      const standing = claim ? claim.standing : 'gone'
      if (standing) standings.set(id, standing === 'queued' ? { sent, ttl: this.ttl } : standing)
    }
    return Promise.resolve(standings)
  }

  remove({ id }: Claim): Promise<boolean> {
    const claim = this.#claims.get(id)
    if (!claim) return this.#removed.get(id) ?? Promise.resolve(false)
    this.#claims.delete(id)
    const removed = claim.remove()
    this.#removed.set(id, removed)
    void removed.finally(() => this.#removed.delete(id))
    return removed
  }

  own(): Promise<readonly Claim[]> {
    return Promise.resolve([])
  }

  /** In force at once: what changes at a node before it watches is told by its own first look. */
  watch(name: string, changed: () => void): Promise<() => void> {
    if (this.#over) return Promise.reject(this.#over)
    const watches = this.#electorate.nodes.map((node) => node.watch(name, changed))
    return Promise.resolve(() => watches.forEach((unwatch) => unwatch()))
  }

  /** By all who answer in time: a holder may have its votes anywhere. */
  async query(name = ''): Promise<readonly Entry[]> {
    if (this.#over) throw this.#over
    const { majority } = this.#electorate
    const answers: (readonly Entry[])[] = []
    const asked = electors(this.#electorate).map(async (node) => {
      answers.push(await node.query(name))
      return true
    })
    if (!(await atLeast(majority, asked))) throw this.#tooFew('have answered')
    await settledWithin(this.#clock, Promise.allSettled(asked), moment)
    const entries = tally(answers, majority)
    const silent = this.#electorate.nodes.length - answers.length
    // To say that nobody leads while somebody may is worse than to say nothing.
    if (!leads(entries) && mayLead(answers, majority - silent)) throw this.#tooFew('have answered to say who leads')
    return entries
  }

  close(): Promise<void> {
    return this.#finish(new LockError('UNAVAILABLE', 'the session was closed'))
  }

  /** Who holds is given what it lacks. */
  nodeAnswers(): void {
    for (const claim of this.#claims.values()) claim.tend()
  }

  /** Without a session at a majority no claim stands, and none is granted: core begins anew, at its own pace. */
  nodeEnded(): void {
    const { nodes, majority } = this.#electorate
    if (nodes.filter(({ open }) => open).length < majority) this.#leave('have a session')
  }

  #leave(what: string): void {
    if (!this.#over) void this.#finish(this.#tooFew(what))
  }

  async #finish(why: LockError): Promise<void> {
    this.#over ??= why
    for (const claim of this.#claims.values()) void claim.remove()
    this.#claims.clear()
    this.#clock.close()
    await Promise.all(this.#electorate.nodes.map((node) => node.close()))
    this.#end(this.#over)
  }

  #tooFew(what: string): LockError {
    const { nodes, majority } = this.#electorate
    return new LockError('UNAVAILABLE', `fewer than ${majority} of the ${nodes.length} nodes ${what}`)
  }
}
