import { backoff, settledWithin } from '../attempts.ts'
import type { Clock } from '../clock.ts'
import type { Grant, Proof, Request } from '../contract.ts'
import { LockError } from '../errors.ts'
import { internal } from '../keeper.ts'
import type { Lease } from '../lease.ts'
import type { Random } from '../random.ts'
import { atLeast } from './gather.ts'
import type { Node } from './node.ts'
import { untilOf, Votes } from './votes.ts'

export interface ClaimHost {
  readonly nodes: readonly Node[]
  readonly majority: number
  /** Whether the nodes can store tokens. */
  readonly fencing: boolean
  readonly clock: Clock
  readonly random: Random
  /** Milliseconds within which a node answers, or is passed over. */
  readonly patience: number
  granted(grant: Grant): void
  /** It had a majority, and cannot have it any more. */
  gone(id: string): void
}

type Answer = 'granted' | 'refused' | LockError

interface Asked {
  readonly node: Node
  readonly answer: Promise<Answer>
  /** The first that is heard of it. */
  readonly news: Promise<Answer | 'queued'>
}

/** So often does a try that has met others of its kind try again. */
const mostTries = 4

/** One claim on one name: how it comes to a majority of votes, stands on it, and is given back. */
export class Claim {
  readonly request: Request
  readonly answer: Promise<Grant | 'queued' | null>
  readonly #host: ClaimHost
  readonly #name: string
  readonly #votes: Votes
  /** The nodes that have been asked and have not answered. */
  readonly #asked = new Map<Node, { readonly asked: AbortController; readonly wait: boolean }>()
  #answers: Answer[] = []
  #state: 'asking' | 'queued' | 'held' | 'gone' | 'over' = 'asking'
  #token: bigint | undefined
  #told: Proof | undefined
  #removed: Promise<boolean> | undefined

  constructor(request: Request, host: ClaimHost) {
    this.request = request
    this.#host = host
    this.#name = request.names[0] ?? ''
    this.#votes = new Votes(host.majority)
    this.answer = this.#first()
  }

  /** A holder's grant, a waiter's proof, its loss; nothing while that is not known. */
  get standing(): Grant | 'queued' | 'gone' | undefined {
    if (this.#state === 'held') return this.#grant()
    return this.#state === 'queued' || this.#state === 'gone' ? this.#state : undefined
  }

  /** Looks after what takes long: who waits at a node that has fallen silent goes on, who holds is given what it lacks. */
  tend(): void {
    for (const [node, { asked }] of this.#asked) if (node.doubtful) asked.abort(passedOver())
    if (this.#state === 'held') this.#strengthen()
  }

  /** Settles when a majority has confirmed that nothing is left; goes on behind for the others. */
  remove(): Promise<boolean> {
    this.#removed ??= this.#remove()
    return this.#removed
  }

  async #first(): Promise<Grant | 'queued' | null> {
    const { nodes, majority } = this.#host
    // In the queue of the first at once: whoever meets others is in its place by then.
    const queue = this.request.wait ? nodes.find(({ doubtful }) => !doubtful) : undefined
    const asked = nodes.map((node) => this.#ask(node, node === queue))
    const grant = await this.#fromAll(asked)
    if (grant) return grant
    const heard = asked.map(({ news }) => news.then((how) => typeof how === 'string'))
    if (!(await atLeast(majority, heard))) {
      const why = this.#failure()
      await this.#undo()
      throw why
    }
    if (!this.request.wait) return this.#tryAgain()
    if (!this.#over) this.#state = 'queued'
    void this.#queue(asked.find(({ node }) => node === queue))
    return 'queued'
  }

  /** All at once: whoever is alone is granted in one round trip. */
  async #fromAll(asked: readonly Asked[]): Promise<Grant | undefined> {
    const { majority } = this.#host
    const isGranted = ({ news }: Asked) => news.then((how) => how === 'granted')
    const sound = asked.filter(({ node }) => !node.doubtful)
    // Whoever was silent before is welcome, but not waited for, unless there is no majority without it.
    const awaited = sound.length < majority ? asked : sound
    const enough = [atLeast(majority, asked.map(isGranted)), atLeast(majority, awaited.map(isGranted))]
    return (await Promise.race(enough)) ? this.#seal() : undefined
  }

  /** A try that met others: in order one of them comes through, so it is not refused by somebody who gets nothing either. */
  async #tryAgain(): Promise<Grant | null> {
    const { clock, random } = this.#host
    for (let attempt = 1; attempt < mostTries && this.#votes.held(clock.now()).length > 0; attempt++) {
      await this.#undo()
      await this.#pause(backoff(1, random) * random.unit())
      if (this.#over) return null
      const grant = await this.#fromEach(false)
      if (grant) return grant
    }
    await this.#undo()
    return null
  }

  /**
   * In one order for all, so that nobody waits at a node for somebody who waits at an earlier one. Whoever comes to the
   * end without a majority, because nodes were silent, gives all back.
   */
  async #queue(first: Asked | undefined): Promise<void> {
    const { random, nodes, majority } = this.#host
    let undone = this.#undo(first?.node)
    for (let attempt = 1; !this.#over; attempt++) {
      if (attempt > 1 || !first) {
        await undone
        await this.#pause(backoff(attempt, random))
        if (this.#over) return
      }
      const sound = nodes.filter(({ doubtful }) => !doubtful)
      if (sound.length >= majority) {
        const grant = await this.#fromEach(true, attempt === 1 ? first : undefined)
        if (grant) return this.#host.granted(grant)
      }
      if (!this.#over) undone = this.#undo()
    }
  }

  async #fromEach(wait: boolean, first?: Asked): Promise<Grant | undefined> {
    const { nodes, majority, clock } = this.#host
    for (const node of first ? nodes.slice(nodes.indexOf(first.node)) : nodes) {
      if (node.doubtful) continue
      const { answer } = node === first?.node ? first : this.#ask(node, wait)
      const how = await answer
      if (this.#over) return undefined
      if (this.#votes.held(clock.now()).length >= majority) return this.#seal()
      if (!wait && how === 'refused') return undefined
    }
    return undefined
  }

  #ask(node: Node, wait: boolean): Asked {
    const queued = Promise.withResolvers<'queued'>()
    const answer = this.#answerOf(node, wait, () => queued.resolve('queued'))
    return { node, answer, news: Promise.race([answer, queued.promise]) }
  }

  async #answerOf(node: Node, wait: boolean, queued: () => void): Promise<Answer> {
    const { clock, patience } = this.#host
    const asked = new AbortController()
    this.#asked.set(node, { asked, wait })
    const giveUp = () => {
      node.doubt()
      asked.abort(passedOver())
    }
    const late = wait ? clock.after(patience, giveUp) : undefined
    const onQueued = () => {
      late?.cancel()
      queued()
    }
    let answer: Answer
    try {
      const lease = await node.ask(this.request, wait, {
        signal: asked.signal,
        ...(wait ? { onQueued } : { timeout: patience }),
      })
      answer = lease ? 'granted' : 'refused'
      // Nobody may want it any more by the time that it is known.
      if (lease && this.#asked.get(node)?.asked === asked) this.#take(node, lease)
      else if (lease) void node.release(lease)
    } catch (error) {
      answer = LockError.find(error) ?? internal(error)
    }
    late?.cancel()
    if (this.#asked.get(node)?.asked === asked) {
      this.#asked.delete(node)
      this.#answers.push(answer)
    }
    return answer
  }

  #take(node: Node, lease: Lease): void {
    this.#votes.add(node, lease)
    lease.onProved(() => this.#proved())
    lease.onLost(({ reason }) => {
      this.#votes.delete(node, lease)
      this.#weakened(reason !== 'expired')
    })
    if (this.#state === 'held') void this.#joins(node, lease)
  }

  /**
   * The votes become a grant when every later one gets a higher token: each later majority has a node of this one, which has
   * been told of the highest.
   */
  async #seal(): Promise<Grant | undefined> {
    const { majority, clock, fencing } = this.#host
    const voters = this.#votes.held(clock.now())
    if (fencing) this.#token = voters.map(([, { tokens }]) => tokens[0] ?? 0n).reduce((a, b) => (a > b ? a : b), 0n)
    const raised: Node[] = []
    const raising = voters.map(async ([node, lease]) => {
      const done = await this.#raise(lease)
      if (done) raised.push(node)
      return done
    })
    if (!(await atLeast(majority, raising)) || this.#over) return undefined
    this.#votes.found(raised, clock.now())
    const grant = this.#grant()
    if (!grant) return undefined
    this.#state = 'held'
    // Who holds waits nowhere.
    for (const { asked, wait } of this.#asked.values()) if (wait) asked.abort(passedOver())
    for (const [node, lease] of this.#votes.held(clock.now())) void this.#joins(node, lease)
    this.#strengthen()
    return grant
  }

  async #raise({ tokens, session }: Lease): Promise<boolean> {
    const { clock, patience } = this.#host
    const token = this.#token
    if (token === undefined || (tokens[0] ?? 0n) >= token) return true
    let done = false
    const raising = session.raise?.(this.#name, token).then(() => (done = true))
    await settledWithin(clock, raising ?? Promise.resolve(), patience)
    return done
  }

  #grant(): Grant | undefined {
    const proof = this.#votes.proof(this.#host.clock.now())
    this.#told = proof ?? this.#told
    const tokens = this.#token === undefined ? [] : [this.#token]
    return proof && { id: this.request.id, tokens, proof }
  }

  /** Asks for the votes that are missing, without waiting: a node that comes back empty is one of the quorum again. */
  #strengthen(): void {
    for (const node of this.#host.nodes) {
      if (!node.doubtful && !this.#votes.has(node) && !this.#asked.has(node)) void this.#ask(node, false)
    }
  }

  async #joins(node: Node, lease: Lease): Promise<void> {
    if (await this.#raise(lease)) this.#votes.ready(node, lease, this.#host.clock.now())
  }

  #proved(): void {
    if (this.#state !== 'held') return
    this.#votes.join(this.#host.clock.now())
    const before = this.#told
    const grant = this.#grant()
    if (grant && (!before || untilOf(grant.proof) > untilOf(before))) this.#host.granted(grant)
  }

  /** Votes that were not proved in time end with core's own deadline. Of others core has to be told. */
  #weakened(forCertain: boolean): void {
    if (this.#state !== 'held' || this.#votes.proof(this.#host.clock.now())) return
    this.#state = 'gone'
    if (forCertain) this.#host.gone(this.request.id)
    void this.#undo()
  }

  /** Gives everything back, but what one node has, and settles when that is confirmed by whoever answers. */
  #undo(keep?: Node): Promise<void> {
    const { nodes, clock, patience } = this.#host
    this.#letGo(keep)
    this.#answers = []
    const released = this.#votes.clear(keep).map(([node, lease]) => node.release(lease))
    const gone = Promise.all([...released, ...nodes.map((node) => node.cleared(this.#name))])
    return settledWithin(clock, gone, patience)
  }

  async #remove(): Promise<boolean> {
    const { nodes, majority } = this.#host
    this.#state = 'over'
    this.#letGo()
    const votes = new Map(this.#votes.clear())
    let lost = 0
    const removals = nodes.map(async (node) => {
      const lease = votes.get(node)
      if (lease && (await node.release(lease)) === 'lost') lost++
      await node.cleared(this.#name)
      // That nothing was asked of a node that is silent leaves the others as they are.
      return lease !== undefined || !node.doubtful
    })
    await atLeast(majority, removals)
    return votes.size - lost >= majority
  }

  #letGo(keep?: Node): void {
    for (const [node, { asked }] of this.#asked) {
      if (node === keep) continue
      this.#asked.delete(node)
      asked.abort(passedOver())
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.#host.clock.after(ms, resolve))
  }

  get #over(): boolean {
    return this.#state === 'over'
  }

  #failure(): LockError {
    const failures = this.#answers.filter((answer) => typeof answer === 'object')
    const final = failures.find(({ temporary }) => !temporary)
    if (final) return final
    const unsent = failures.length === this.#answers.length && failures.every(({ code }) => code === 'UNAVAILABLE')
    const cause = failures[0]
    const { nodes, majority } = this.#host
    const message = `fewer than ${majority} of the ${nodes.length} nodes have answered`
    return new LockError(unsent ? 'UNAVAILABLE' : 'OUTCOME_UNKNOWN', message, { cause })
  }
}

const passedOver = () => new LockError('UNAVAILABLE', 'the node is passed over')
