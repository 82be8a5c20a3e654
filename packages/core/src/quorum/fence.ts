import { settledWithin } from '../attempts.ts'
import type { Clock } from '../clock.ts'
import type { Lease } from '../lease.ts'

/**
 * A claim's token: the highest of its votes' tokens, written back to the nodes that they are from. Every later majority has
 * one of those nodes, and gets a vote there after this claim has left it: with a higher token.
 */
export class Fence {
  readonly #name: string
  readonly #clock: Clock
  readonly #patience: number
  #token: bigint | undefined

  constructor(name: string, clock: Clock, patience: number) {
    this.#name = name
    this.#clock = clock
    this.#patience = patience
  }

  /** None where the nodes cannot store them. */
  get tokens(): readonly bigint[] {
    return this.#token === undefined ? [] : [this.#token]
  }

  takeHighest(votes: readonly Lease[]): void {
    this.#token = votes.map(tokenOf).reduce((a, b) => (a > b ? a : b), 0n)
  }

  /** Whether a node is known, in time, to give higher tokens from now on. */
  async raise(vote: Lease): Promise<boolean> {
    const token = this.#token
    if (token === undefined || tokenOf(vote) >= token) return true
    let done = false
    const raising = vote.session.raise?.(this.#name, token).then(() => (done = true))
    await settledWithin(this.#clock, raising ?? Promise.resolve(), this.#patience)
    return done
  }
}

const tokenOf = ({ tokens }: Lease): bigint => tokens[0] ?? 0n
