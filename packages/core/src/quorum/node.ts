import type { Instant } from '../clock.ts'
import type { Backend, Entry, Request, SessionOptions } from '../contract.ts'
import { Engine } from '../engine.ts'
import { LockError } from '../errors.ts'
import type { Lease } from '../lease.ts'
import { decodeName } from '../names.ts'
import { publish } from '../telemetry.ts'
import type { Limits } from '../waiter.ts'
import { Health, type HealthHost } from './health.ts'

/** Milliseconds within which a node's session opens, and a question to it is answered. */
const connectTimeout = 5_000
/** Milliseconds after which one that has refused for good is asked again: somebody may have mended it. */
const refusedFor = 10_000

/**
 * One of the independent stores, by an engine of its own: sessions are opened again, votes are leases that are renewed, and
 * what nobody wants is removed until that is confirmed.
 */
export class Node {
  readonly #engine: Engine
  readonly #backend: string
  readonly #options: SessionOptions
  readonly #health: Health
  #probing = false

  constructor(backend: Backend, options: SessionOptions, host: Omit<HealthHost, 'clock'>) {
    const { ttl, namespace, owner, clientId, clock, random } = options
    this.#backend = backend.name
    this.#options = options
    this.#health = new Health({ clock, ...host })
    this.#engine = new Engine(backend, {
      ttl,
      namespace,
      owner,
      clientId,
      clock,
      random,
      connectTimeout,
      publish: (name, message) => {
        this.#health.told(name, message)
        // The quorum's own renewal asks nobody.
        if (name === 'locks:renewed') publish(name, message)
      },
    })
  }

  connect(): Promise<void> {
    return this.#engine.connect()
  }

  /** Milliseconds, as the store granted them to the session that is open. */
  get ttl(): number | undefined {
    return this.#engine.session()?.ttl
  }

  /** Whether it has a session. */
  get open(): boolean {
    return this.#health.open
  }

  /** Whether it did not answer the last time: others are asked before it, and nobody waits for it. */
  get doubtful(): boolean {
    return this.#health.doubtful
  }

  /** It has not answered in time. */
  doubt(): void {
    this.#health.doubt()
  }

  /** There is something to hear of from now on. */
  expect(now: Instant): void {
    this.#health.expect(now)
  }

  /** For how many milliseconds it has not been heard of. */
  silentFor(now: Instant): number {
    return this.#health.silentFor(now)
  }

  /** Asks something of no consequence, to hear whether it answers. */
  probe(name: string): void {
    if (!this.#probing) void this.#probe(name)
  }

  /** Its vote for a claim, under an id of its own: what is left of an earlier vote cannot be taken for a later one. */
  async ask(request: Request, wait: boolean, limits: Limits): Promise<Lease | null> {
    const { namespace, clientId, random } = this.#options
    const { names, mode, permits, weight, value } = request
    const id = random.id()
    const vote: Request = { id, names, mode, permits, weight, wait, steal: false, value }
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

  /** Tells who holds a name with a value here, and of every change, over all sessions; answers with what ends it. */
  watch(name: string, changed: () => void): () => void {
    const stop = new AbortController()
    void this.#follow(name, changed, stop.signal)
    return () => stop.abort()
  }

  query(name: string): Promise<readonly Entry[]> {
    return this.#engine.query(name)
  }

  close(): Promise<void> {
    return this.#engine.close()
  }

  async #follow(name: string, changed: () => void, signal: AbortSignal): Promise<void> {
    const { clock } = this.#engine
    while (!signal.aborted) {
      try {
        for await (const _ of this.#engine.observe(name, signal)) changed()
      } catch (error) {
        if (signal.aborted || LockError.is(error, 'CLOSED')) return
        await new Promise<void>((resolve) => clock.after(refusedFor, resolve))
      }
    }
  }

  async #probe(name: string): Promise<void> {
    this.#probing = true
    try {
      await this.#engine.query(name)
      this.#health.heard()
    } catch (error) {
      const { clock } = this.#engine
      if (!LockError.find(error)?.temporary) await new Promise<void>((resolve) => clock.after(refusedFor, resolve))
    } finally {
      this.#probing = false
    }
  }
}
