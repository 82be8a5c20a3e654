import type { Clock } from '../clock.ts'
import type { Request } from '../contract.ts'
import { LockError } from '../errors.ts'
import { internal } from '../keeper.ts'
import type { Lease } from '../lease.ts'
import type { Node } from './node.ts'

export type Answer = 'granted' | 'refused' | 'too long' | LockError

export interface Asked {
  readonly node: Node
  readonly answer: Promise<Answer>
  /** The first that is heard of it. */
  readonly news: Promise<Answer | 'queued'>
}

export interface AsksHost {
  readonly clock: Clock
  /** Milliseconds within which a node answers, or is passed over. */
  readonly patience: number
  /** A vote that is wanted. */
  granted(node: Node, vote: Lease): void
}

interface Waiting {
  readonly wait: boolean
  readonly atMost: number | undefined
}

interface Open {
  readonly wait: boolean
  readonly stop: AbortController
}

/** What one claim asks of the nodes, one question a node at a time, until it is answered or no longer wanted. */
export class Asks {
  readonly #request: Request
  readonly #host: AsksHost
  readonly #open = new Map<Node, Open>()

  constructor(request: Request, host: AsksHost) {
    this.#request = request
    this.#host = host
  }

  has(node: Node): boolean {
    return this.#open.has(node)
  }

  /** `atMost`: for how many milliseconds to wait. */
  ask(node: Node, wait: boolean, atMost?: number): Asked {
    const queued = Promise.withResolvers<'queued'>()
    const answer = this.#ask(node, { wait, atMost }, () => queued.resolve('queued'))
    return { node, answer, news: Promise.race([answer, queued.promise]) }
  }

  /** Nobody waits at these nodes any more. */
  passOver(which: (node: Node) => boolean): void {
    for (const [node, { wait, stop }] of this.#open) if (wait && which(node)) stop.abort(passedOver())
  }

  /** Whatever is granted from now on, but by one node, is not wanted. */
  stop(keep?: Node): void {
    for (const [node, { stop }] of this.#open) {
      if (node === keep) continue
      this.#open.delete(node)
      stop.abort(passedOver())
    }
  }

  async #ask(node: Node, { wait, atMost }: Waiting, queued: () => void): Promise<Answer> {
    const { clock, patience } = this.#host
    const open: Open = { wait, stop: new AbortController() }
    const { signal } = open.stop
    this.#open.set(node, open)
    const giveUp = () => {
      node.doubt()
      open.stop.abort(passedOver())
    }
    // Of who waits, the first answer only has to come in time.
    const late = wait ? clock.after(patience, giveUp) : undefined
    let tired = false
    const tire = () => {
      tired = true
      open.stop.abort(passedOver())
    }
    const long = atMost === undefined ? undefined : clock.after(atMost, tire)
    const onQueued = () => {
      late?.cancel()
      queued()
    }
    try {
      const vote = await node.ask(this.#request, wait, wait ? { signal, onQueued } : { signal, timeout: patience })
      // Nobody may want it any more by the time that it is known.
      if (vote && this.#open.get(node) !== open) void node.release(vote)
      else if (vote) this.#host.granted(node, vote)
      return vote ? 'granted' : 'refused'
    } catch (error) {
      return tired ? 'too long' : (LockError.find(error) ?? internal(error))
    } finally {
      late?.cancel()
      long?.cancel()
      if (this.#open.get(node) === open) this.#open.delete(node)
    }
  }
}

/** Of what it may have left, the node's engine takes care. */
const passedOver = () => new LockError('OUTCOME_UNKNOWN', 'the node is passed over')
