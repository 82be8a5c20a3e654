import { patienceFor, settledWithin } from '../attempts.ts'
import type { Instant, Timer } from '../clock.ts'
import type { Claim, Entry, Grant, Loss, Proof, Request, Session, SessionOptions } from '../contract.ts'
import { LockError } from '../errors.ts'
import { Timers } from '../timers.ts'
import { Claim as Candidate } from './claim.ts'
import { atLeast } from './gather.ts'
import type { Node } from './node.ts'
import { tally } from './tally.ts'

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
  readonly #clock: Timers
  readonly #nodes: readonly Node[]
  readonly #majority: number
  readonly #fencing: boolean
  readonly #claims = new Map<string, Candidate>()
  readonly #removed = new Map<string, Promise<boolean>>()
  #timer: Timer | undefined
  #end!: (why: LockError) => void
  #over: LockError | undefined

  constructor(nodes: readonly Node[], majority: number, fencing: boolean, options: SessionOptions) {
    this.ttl = Math.min(...nodes.map(({ ttl }) => ttl ?? options.ttl))
    this.ended = new Promise((resolve) => (this.#end = resolve))
    this.#options = options
    this.#clock = new Timers(options.clock)
    this.#nodes = nodes
    this.#majority = majority
    this.#fencing = fencing
  }

  acquire(request: Request): Promise<Grant | 'queued' | null> {
    if (this.#over) return Promise.reject(this.#over)
    const known = this.#claims.get(request.id)
    if (known)
      return known.standing === undefined || known.standing === 'gone' ? known.answer : Promise.resolve(known.standing)
    const { random, events } = this.#options
    const claim = new Candidate(request, {
      nodes: this.#nodes,
      majority: this.#majority,
      fencing: this.#fencing,
      clock: this.#clock,
      random,
      patience: patienceFor(this.ttl),
      granted: (grant) => events.granted(grant),
      gone: (id) => events.lost(id, 'gone'),
    })
    this.#claims.set(request.id, claim)
    // What was not granted, or is not known, leaves nothing that a repeated call could find.
    const drop = () => void this.#claims.delete(request.id)
    claim.answer.then((answer) => answer ?? drop(), drop)
    this.#watch()
    return claim.answer
  }

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

  /** Each node's engine looks after what is left there. */
  own(): Promise<readonly Claim[]> {
    return Promise.resolve([])
  }

  /** By all who answer in time: a holder may have its votes anywhere. */
  async query(name = ''): Promise<readonly Entry[]> {
    if (this.#over) throw this.#over
    const answers: (readonly Entry[])[] = []
    const asked = this.#nodes.map((node) => ({
      node,
      answer: node.query(name).then((found) => void answers.push(found)),
    }))
    const came = asked.map(({ answer }) => answer.then(() => true))
    const sound = asked.filter(({ node }) => !node.doubtful).map(({ answer }) => answer)
    if (!(await atLeast(this.#majority, came))) {
      const why = `fewer than ${this.#majority} of the ${this.#nodes.length} nodes have answered`
      throw new LockError('UNAVAILABLE', why)
    }
    await settledWithin(this.#clock, Promise.allSettled(sound), moment)
    return tally(answers, this.#majority)
  }

  async close(): Promise<void> {
    await this.#finish(new LockError('UNAVAILABLE', 'the session was closed'))
  }

  /** Without a session at a majority no claim stands, and none is granted: core begins anew, at its own pace. */
  nodeEnded(): void {
    if (this.#over || this.#nodes.filter(({ open }) => open).length >= this.#majority) return
    const why = `sessions at fewer than ${this.#majority} of the ${this.#nodes.length} nodes are left`
    void this.#finish(new LockError('UNAVAILABLE', why))
  }

  async #finish(why: LockError): Promise<void> {
    this.#over ??= why
    for (const claim of this.#claims.values()) void claim.remove()
    this.#claims.clear()
    this.#clock.close()
    await Promise.all(this.#nodes.map((node) => node.close()))
    this.#end(this.#over)
  }

  #watch(): void {
    if (this.#timer || this.#over) return
    for (const node of this.#nodes) node.expect(this.#clock.now())
    this.#arm()
  }

  #arm(): void {
    this.#timer = this.#clock.after(Math.min(500, this.ttl / 6), () => {
      this.#timer = undefined
      if (this.#claims.size === 0 || this.#over) return
      this.#tend(this.#clock.now())
      if (!this.#over) this.#arm()
    })
  }

  #tend(now: Instant): void {
    const heard = this.#nodes.filter((node) => node.silentFor(now) <= this.ttl)
    if (heard.length < this.#majority) {
      const why = `fewer than ${this.#majority} of the ${this.#nodes.length} nodes have answered for a ttl`
      return void this.#finish(new LockError('UNAVAILABLE', why))
    }
    const [name = ''] = [...this.#claims.values()].map(({ request }) => request.names[0])
    for (const node of this.#nodes) {
      const silent = node.silentFor(now)
      if (silent > this.ttl / 2) node.doubt()
      if (silent > this.ttl / 3) node.probe(name)
    }
    for (const claim of this.#claims.values()) claim.tend()
  }
}
