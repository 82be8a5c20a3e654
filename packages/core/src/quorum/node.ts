import { elapsed, type Clock, type Instant } from '../clock.ts'
import type { Backend, Entry, Request, SessionOptions } from '../contract.ts'
import { Engine } from '../engine.ts'
import { LockError } from '../errors.ts'
import type { Lease } from '../lease.ts'
import { decodeName } from '../names.ts'
import type { LockEvents } from '../telemetry.ts'
import type { Limits } from '../waiter.ts'

/** Milliseconds within which a node's session opens, and a question to it is answered. */
const connectTimeout = 5_000

export interface NodeHost {
  /** Its session has ended, and all votes with it. */
  ended(): void
  /** It has become silent, or answers again. */
  changed(node: Node): void
}

/**
 * One of the independent stores, by an engine of its own: sessions are opened again, votes are leases that are renewed,
 * what nobody wants is removed until that is confirmed. What it tells shows whether the node is heard of.
 */
export class Node {
  readonly #engine: Engine
  readonly #backend: string
  readonly #options: SessionOptions
  readonly #clock: Clock
  #heardAt: Instant
  readonly #host: NodeHost
  #probing = false
  #open = false
  #doubtful = true

  constructor(backend: Backend, options: SessionOptions, host: NodeHost) {
    const { ttl, namespace, owner, clientId, clock, random } = options
    this.#backend = backend.name
    this.#options = options
    this.#host = host
    this.#clock = clock
    this.#heardAt = clock.now()
    this.#engine = new Engine(backend, {
      ttl,
      namespace,
      owner,
      clientId,
      clock,
      random,
      connectTimeout,
      publish: (name, message) => this.#told(name, message),
    })
  }

  /** Whether it did not answer the last time: others are asked before it, and nobody waits for it. */
  get doubtful(): boolean {
    return this.#doubtful
  }

  /** Whether it has a session. */
  get open(): boolean {
    return this.#open
  }

  connect(): Promise<void> {
    return this.#engine.connect()
  }

  /** Milliseconds, as the store granted them to the session that is open. */
  get ttl(): number | undefined {
    return this.#engine.session()?.ttl
  }

  /** Its vote for a claim, under an id of its own: what is left of an earlier vote cannot be taken for a later one. */
  async ask(request: Request, wait: boolean, limits: Limits): Promise<Lease | null> {
    const { namespace, clientId, random } = this.#options
    const { names, mode, permits, weight } = request
    const id = random.id()
    const vote: Request = { id, names, mode, permits, weight, wait, steal: false }
    const attempt = { names: names.map(decodeName), mode, backend: this.#backend, namespace, clientId }
    try {
      return await this.#engine.acquire(vote, attempt, limits)
    } catch (error) {
      if (!LockError.is(error, 'TIMEOUT')) throw error
      this.doubt()
      throw new LockError('OUTCOME_UNKNOWN', 'a node of the quorum did not answer', { cause: error })
    }
  }

  release(vote: Lease): Promise<'released' | 'lost'> {
    return this.#engine.release(vote)
  }

  /** Settles when nothing is left of the votes about a name that nobody wants any more. */
  cleared(name: string): Promise<void> {
    return this.#engine.cleared(name)
  }

  query(name: string): Promise<readonly Entry[]> {
    return this.#engine.query(name)
  }

  /** There is something to hear of from now on. */
  expect(now: Instant): void {
    this.#heardAt = now
  }

  /** For how many milliseconds it has not been heard of. */
  silentFor(now: Instant): number {
    return elapsed(this.#heardAt, now)
  }

  /** It has not answered in time. */
  doubt(): void {
    this.#doubts(true)
  }

  /** Asks something of no consequence, to hear whether it answers. */
  probe(name: string): void {
    if (this.#probing) return
    this.#probing = true
    this.#engine
      .query(name)
      .then(() => this.#heard())
      .catch(() => {})
      .finally(() => (this.#probing = false))
  }

  close(): Promise<void> {
    return this.#engine.close()
  }

  #heard(): void {
    this.#heardAt = this.#clock.now()
    this.#doubts(false)
  }

  #doubts(doubtful: boolean): void {
    if (this.#doubtful === doubtful) return
    this.#doubtful = doubtful
    this.#host.changed(this)
  }

  #told<K extends keyof LockEvents>(name: K, message: () => LockEvents[K]): void {
    if (answers.has(name)) this.#heard()
    else if (name === 'locks:renewed' && !('error' in message())) this.#heard()
    else if (name === 'locks:session') {
      this.#open = (message() as LockEvents['locks:session']).state === 'opened'
      if (this.#open) return this.#heard()
      this.doubt()
      this.#host.ended()
    }
  }
}

const answers: ReadonlySet<keyof LockEvents> = new Set(['locks:granted', 'locks:queued', 'locks:refused'])
