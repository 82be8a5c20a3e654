import type { Clock, Instant, Timer } from '../clock.ts'
import type { QuorumClaim } from './claim.ts'
import type { Node } from './node.ts'

export interface WatchHost {
  readonly clock: Clock
  readonly ttl: number
  readonly nodes: readonly Node[]
  readonly majority: number
  readonly claims: ReadonlyMap<string, QuorumClaim>
  /** Fewer than a majority has been heard of for a ttl. */
  deserted(): void
}

/** Listens to the nodes, and looks after the claims, while there are any. */
export class Watch {
  readonly #host: WatchHost
  #timer: Timer | undefined

  constructor(host: WatchHost) {
    this.#host = host
  }

  start(): void {
    if (this.#timer) return
    const { clock, nodes } = this.#host
    for (const node of nodes) {
      node.expect(clock.now())
      // It may have come back while nobody asked.
      if (node.doubtful) node.probe(this.#name)
    }
    this.#arm()
  }

  /** One that is of interest. */
  get #name(): string {
    const [first] = this.#host.claims.values()
    return first?.request.names[0] ?? ''
  }

  #arm(): void {
    const { clock, ttl, claims } = this.#host
    this.#timer = clock.after(Math.min(500, ttl / 6), () => {
      this.#timer = undefined
      if (claims.size > 0 && this.#look(clock.now())) this.#arm()
    })
  }

  /** False when it is of no use any more. */
  #look(now: Instant): boolean {
    const { nodes, majority, ttl, claims } = this.#host
    if (nodes.filter((node) => node.silentFor(now) <= ttl).length < majority) {
      this.#host.deserted()
      return false
    }
    for (const node of nodes) {
      const silent = node.silentFor(now)
      if (silent > ttl / 2) node.doubt()
      // A node that has votes is heard of by their renewals.
      if (silent > ttl / 3) node.probe(this.#name)
    }
    for (const claim of claims.values()) claim.tend()
    return true
  }
}
