import { settledWithin } from '../attempts.ts'
import type { Clock } from '../clock.ts'
import type { Grant, Request } from '../contract.ts'
import type { Lease } from '../lease.ts'
import { Asks, type Asked } from './asks.ts'
import { Fence } from './fence.ts'
import { atLeast } from './gather.ts'
import type { Node } from './node.ts'
import { Votes } from './votes.ts'

/** The nodes, and how they are dealt with. */
export interface Electorate {
  readonly nodes: readonly Node[]
  readonly majority: number
  /** Whether the nodes can store tokens. */
  readonly fencing: boolean
  readonly clock: Clock
  /** Milliseconds within which a node answers, or is passed over. */
  readonly patience: number
}

export interface BallotHost {
  /** One of the votes of a grant has been proved anew. */
  proved(): void
  /** A vote of a grant is gone; `expired` if it was not proved in time. */
  weakened(expired: boolean): void
}

/** The votes of one claim: asked for, sealed as a grant by a majority, added to, and given back. */
export class Ballot {
  readonly #request: Request
  readonly #electorate: Electorate
  readonly #host: BallotHost
  readonly #name: string
  readonly #votes: Votes
  readonly #asks: Asks
  readonly #fence: Fence
  #sealed = false

  constructor(request: Request, electorate: Electorate, host: BallotHost) {
    const { majority, clock, patience } = electorate
    this.#request = request
    this.#electorate = electorate
    this.#host = host
    this.#name = request.names[0] ?? ''
    this.#votes = new Votes(majority)
    this.#asks = new Asks(request, { clock, patience, granted: (node, vote) => this.#take(node, vote) })
    this.#fence = new Fence(this.#name, clock, patience)
  }

  get count(): number {
    return this.#votes.held(this.#electorate.clock.now()).length
  }

  /** What a majority has granted and proved; nothing without one. */
  get grant(): Grant | undefined {
    const proof = this.#votes.proof(this.#electorate.clock.now())
    return proof && { id: this.#request.id, tokens: this.#fence.tokens, proof }
  }

  ask(node: Node, wait: boolean, atMost?: number): Asked {
    return this.#asks.ask(node, wait, atMost)
  }

  /** Nobody is waited for that has become silent. */
  passOverSilent(): void {
    this.#asks.passOver(({ doubtful }) => doubtful)
  }

  /** Makes a grant of the votes, once a majority of them is fenced. False if that cannot be. */
  async seal(): Promise<boolean> {
    const { majority, clock, fencing } = this.#electorate
    const voters = this.#votes.held(clock.now())
    if (fencing) this.#fence.takeHighest(voters.map(([, vote]) => vote))
    const fenced: Node[] = []
    const raising = voters.map(async ([node, vote]) => {
      const done = await this.#fence.raise(vote)
      if (done) fenced.push(node)
      // Too late for the grant, which may have another token than the one that the node was told of.
      if (done && this.#sealed) void this.#join(node, vote)
      return done
    })
    if (!(await atLeast(majority, raising))) return false
    this.#votes.found(fenced, clock.now())
    if (!this.grant) return false
    this.#sealed = true
    // Who holds waits nowhere.
    this.#asks.passOver(() => true)
    // Those that have come meanwhile.
    for (const [node, vote] of this.#votes.held(clock.now())) {
      if (!voters.some(([voter]) => voter === node)) void this.#join(node, vote)
    }
    return true
  }

  /** Asks for the votes that are missing, without waiting: a node that comes back empty is one of the quorum again. */
  strengthen(): void {
    for (const node of this.#electorate.nodes) {
      if (!node.doubtful && !this.#votes.has(node) && !this.#asks.has(node)) this.ask(node, false)
    }
  }

  /** Gives everything back, but what one node has; settles when whoever answers has confirmed that. */
  async undo(keep?: Node): Promise<void> {
    const { nodes, clock, patience } = this.#electorate
    this.#sealed = false
    this.#asks.stop(keep)
    const released = this.#votes.clear(keep).map(([node, vote]) => node.release(vote))
    const gone = Promise.all([...released, ...nodes.map((node) => node.cleared(this.#name))])
    await settledWithin(clock, gone, patience)
  }

  /** Gives everything back; settles when a majority has confirmed it, with whether a majority had it up to then. */
  async remove(): Promise<boolean> {
    const { nodes, majority } = this.#electorate
    this.#sealed = false
    this.#asks.stop()
    const votes = new Map(this.#votes.clear())
    let lost = 0
    const removals = nodes.map(async (node) => {
      const vote = votes.get(node)
      if (vote && (await node.release(vote)) === 'lost') lost++
      await node.cleared(this.#name)
      // That nothing was asked of a node that is silent leaves the others as they are.
      return vote !== undefined || !node.doubtful
    })
    await atLeast(majority, removals)
    return votes.size - lost >= majority
  }

  #take(node: Node, vote: Lease): void {
    this.#votes.add(node, vote)
    vote.onProved(() => {
      if (!this.#sealed) return
      this.#votes.join(this.#electorate.clock.now())
      this.#host.proved()
    })
    vote.onLost(({ reason }) => {
      this.#votes.delete(node, vote)
      if (this.#sealed) this.#host.weakened(reason === 'expired')
    })
    if (this.#sealed) void this.#join(node, vote)
  }

  async #join(node: Node, vote: Lease): Promise<void> {
    if (await this.#fence.raise(vote)) this.#votes.ready(node, vote, this.#electorate.clock.now())
  }
}
