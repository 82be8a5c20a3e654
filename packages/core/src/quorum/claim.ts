import { backoff } from '../attempts.ts'
import type { Grant, Proof, Request } from '../contract.ts'
import type { Random } from '../random.ts'
import type { Asked } from './asks.ts'
import { Ballot, type Electorate } from './ballot.ts'
import { allAtOnce, answered, electors, oneByOne, tooFew } from './rounds.ts'
import { untilOf } from './votes.ts'

export interface ClaimHost extends Electorate {
  readonly random: Random
  readonly ttl: number
  granted(grant: Grant): void
  /** It had a majority, and cannot have it any more. */
  gone(id: string): void
}

/** So often does a try begin that meets others of its kind. */
const mostTries = 4

/** One claim on one name, on its way to a majority of the nodes, and as long as it has one. */
export class QuorumClaim {
  readonly request: Request
  readonly answer: Promise<Grant | 'queued' | null>
  readonly #host: ClaimHost
  readonly #ballot: Ballot
  #state: 'asking' | 'queued' | 'held' | 'gone' | 'over' = 'asking'
  #told: Proof | undefined
  #removed: Promise<boolean> | undefined

  constructor(request: Request, host: ClaimHost) {
    this.request = request
    this.#host = host
    this.#ballot = new Ballot(request, host, {
      proved: () => this.#proved(),
      weakened: (expired) => this.#weakened(expired),
    })
    this.answer = this.#first()
  }

  /** Undefined while that is not known. */
  get standing(): Grant | 'queued' | 'gone' | undefined {
    if (this.#state === 'held') return this.#ballot.grant
    return this.#state === 'queued' || this.#state === 'gone' ? this.#state : undefined
  }

  /** Who waits at a node that has fallen silent goes on; who holds is given what it lacks. */
  tend(): void {
    this.#ballot.passOverSilent()
    if (this.#state === 'held') this.#ballot.strengthen()
  }

  /** Settles when a majority has confirmed that nothing is left; goes on behind for the others. */
  remove(): Promise<boolean> {
    this.#state = 'over'
    this.#removed ??= this.#ballot.remove()
    return this.#removed
  }

  async #first(): Promise<Grant | 'queued' | null> {
    const { majority } = this.#host
    const nodes = electors(this.#host)
    // In the queue of the first at once: whoever meets others is in its place by then.
    const queue = this.request.wait ? nodes.find(({ doubtful }) => !doubtful) : undefined
    const asked = nodes.map((node) => this.#ballot.ask(node, node === queue))
    // Whoever is alone is granted in one round trip.
    const grant = (await allAtOnce(asked, majority)) && (await this.#seal())
    if (grant) return grant
    if (!(await answered(asked, majority))) {
      await this.#ballot.undo()
      throw await tooFew(asked, this.#host)
    }
    if (!this.request.wait) return this.#tryAgain()
    if (!this.#over) this.#state = 'queued'
    void this.#queue(asked.find(({ node }) => node === queue))
    return 'queued'
  }

  /** A try that met others: in order one of them comes through, so it is not refused by somebody who gets nothing either. */
  async #tryAgain(): Promise<Grant | null> {
    const { random } = this.#host
    const over = () => this.#over
    for (let attempt = 1; attempt < mostTries && this.#ballot.count > 0; attempt++) {
      await this.#ballot.undo()
      await this.#pause(backoff(1, random) * random.unit())
      if (this.#over) return null
      const grant = (await oneByOne(this.#ballot, this.#host, { wait: false, over })) && (await this.#seal())
      if (grant) return grant
    }
    await this.#ballot.undo()
    return null
  }

  /**
   * In one order for all, so that nobody waits at a node for somebody who waits at an earlier one. Whoever comes to the
   * end without a majority, because nodes were silent, gives all back and begins again.
   */
  async #queue(asked: Asked | undefined): Promise<void> {
    const { random, nodes, majority, ttl } = this.#host
    const over = () => this.#over
    let undone = this.#ballot.undo(asked?.node)
    for (let [attempt, first] = [1, asked]; !over(); attempt++, first = undefined) {
      if (!first) {
        await undone
        await this.#pause(backoff(attempt, random))
        if (over()) return
      }
      if (nodes.filter(({ doubtful }) => !doubtful).length >= majority) {
        // The bound breaks circles of clients that were not given the nodes in the same order.
        const atMost = ttl * (1 + random.unit())
        const won = await oneByOne(this.#ballot, this.#host, { wait: true, first, atMost, over })
        const grant = won && (await this.#seal())
        if (grant) return this.#host.granted(grant)
      }
      if (!over()) undone = this.#ballot.undo()
    }
  }

  async #seal(): Promise<Grant | undefined> {
    const sealed = await this.#ballot.seal()
    if (!sealed || this.#over) return undefined
    const { grant } = this.#ballot
    if (!grant) return undefined
    this.#state = 'held'
    this.#told = grant.proof
    this.#ballot.strengthen()
    return grant
  }

  #proved(): void {
    const { grant } = this.#ballot
    if (this.#state !== 'held' || !grant || (this.#told && untilOf(grant.proof) <= untilOf(this.#told))) return
    this.#told = grant.proof
    this.#host.granted(grant)
  }

  /** Votes that were not proved in time end with core's own deadline. Of others core has to be told. */
  #weakened(expired: boolean): void {
    if (this.#state !== 'held' || this.#ballot.grant) return
    this.#state = 'gone'
    if (!expired) this.#host.gone(this.request.id)
    void this.#ballot.undo()
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.#host.clock.after(ms, resolve))
  }

  get #over(): boolean {
    return this.#state === 'over'
  }
}
