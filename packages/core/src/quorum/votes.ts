import type { Instant } from '../clock.ts'
import type { Proof } from '../contract.ts'
import type { Lease } from '../lease.ts'
import type { Node } from './node.ts'

interface Vote {
  readonly lease: Lease
  /** When it was known to be there and later tokens to be higher, `mono`; undefined before. */
  readyAt: number | undefined
  /** Whether it is one of those that the claim stands on. */
  counts: boolean
}

/** How much shorter a vote is taken to last than its node says: nodes measure the ttl by clocks of their own. */
const drift = (ttl: number): number => ttl / 100 + 2

/** The votes that one claim has. */
export class Votes {
  readonly #majority: number
  readonly #votes = new Map<Node, Vote>()

  constructor(majority: number) {
    this.#majority = majority
  }

  add(node: Node, lease: Lease): void {
    this.#votes.set(node, { lease, readyAt: undefined, counts: false })
  }

  delete(node: Node, lease: Lease): void {
    if (this.#votes.get(node)?.lease === lease) this.#votes.delete(node)
  }

  has(node: Node): boolean {
    return this.#votes.has(node)
  }

  /** Those that are held, of which a majority may become a grant. */
  held(now: Instant): [Node, Lease][] {
    const all = [...this.#votes].map(([node, { lease }]): [Node, Lease] => [node, lease])
    return all.filter(([, lease]) => lease.heldAt(now))
  }

  /** The claim begins to stand on these; later ones have to prove that it still does when they join. */
  found(nodes: readonly Node[], now: Instant): void {
    for (const node of nodes) {
      const vote = this.#votes.get(node)
      if (vote) Object.assign(vote, { readyAt: now.mono, counts: true })
    }
  }

  ready(node: Node, lease: Lease, now: Instant): void {
    const vote = this.#votes.get(node)
    if (vote?.lease === lease) vote.readyAt ??= now.mono
  }

  /**
   * Counts those that have come since, once a majority that counts has been proved by requests that left after they were
   * there: the claim was never without a majority, and is not brought back by votes of different times.
   */
  join(now: Instant): void {
    const sent = this.#counting(now)
      .map(({ lease }) => lease.proof.sent.mono)
      .toSorted((a, b) => b - a)
    const since = sent[this.#majority - 1]
    if (since === undefined) return
    for (const vote of this.#votes.values()) {
      if (vote.readyAt !== undefined && vote.readyAt < since && vote.lease.heldAt(now)) vote.counts = true
    }
  }

  /** What a majority promises: its m-th newest proof. Undefined if there is no majority. */
  proof(now: Instant): Proof | undefined {
    const proofs = this.#counting(now).map(({ lease }) => lease.proof)
    const { sent, ttl } = proofs.toSorted((a, b) => untilOf(b) - untilOf(a))[this.#majority - 1] ?? {}
    return sent && ttl !== undefined ? { sent, ttl: ttl - drift(ttl) } : undefined
  }

  /** Takes all away, but that of one node. */
  clear(keep?: Node): [Node, Lease][] {
    const all = [...this.#votes].filter(([node]) => node !== keep)
    for (const [node] of all) this.#votes.delete(node)
    return all.map(([node, { lease }]) => [node, lease])
  }

  #counting(now: Instant): Vote[] {
    return [...this.#votes.values()].filter(({ lease, counts }) => counts && lease.heldAt(now))
  }
}

export const untilOf = ({ sent, ttl }: Proof): number => sent.mono + ttl
