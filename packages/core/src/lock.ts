import type { Request, Session } from './contract.ts'
import type { Engine } from './engine.ts'
import { LockError } from './errors.ts'
import type { Lease } from './lease.ts'
import type { Mode } from './queue.ts'

/** What a lock and a set of locks have in common. */
export interface Holding extends AsyncDisposable {
  /**
   * Whether the store is known to keep the lock, by the clock of this very moment: right in the first line of
   * code after a stalled event loop or a stopped process.
   */
  readonly held: boolean
  /** Whether renewals have failed for half the ttl: the loss may come. */
  readonly atRisk: boolean
  /** When the lock is lost unless the store confirms it before, on the scale of `performance.now()`. */
  readonly expiresAt: number
  /**
   * Aborts once, with a `LOST` error, when the lock is lost; never because it was released. An event cannot be
   * earlier than the event loop: ask `held` where that matters, and let the resource check the token.
   */
  readonly signal: AbortSignal
  /** Throws `LOST`, or `RELEASED`, unless the lock is held. */
  assertHeld(): void
  /**
   * Gives the lock back. `'released'`: it was held up to this call (its removal may still be on its way);
   * `'lost'`: it was not. Never throws, may be repeated, never frees another's lock.
   */
  release(): Promise<'released' | 'lost'>
}

/** One lock that is, or was, held. */
export interface Lock extends Holding {
  readonly name: string
  readonly mode: Mode
  /**
   * The fencing token: higher than that of every earlier conflicting grant of this name. Write it with your data
   * and refuse a lower one. (A permit's token identifies the permit and fences nothing.)
   */
  readonly token: bigint
}

/** Several locks, granted together and released together. */
export interface LockSet extends Holding {
  readonly names: readonly string[]
  /** The fencing token of each name. */
  readonly tokens: ReadonlyMap<string, bigint>
}

/** Where one name of a lock or set is kept: for adapters that let their users ask the store about their own lock. */
export interface Origin {
  readonly session: Session
  readonly request: Request
  readonly tokens: readonly bigint[]
  /** Whether what is at the store may outlive the holder: its manager hands locks on to its own callers. */
  readonly handsOn: boolean
}

/** Undefined for what no `LockManager` of this copy of core has made. */
export const originsOf = (holding: object): readonly Origin[] | undefined => LeaseHolding.originsOf(holding)

class LeaseHolding implements Holding {
  /** Not a property: the request's id is the owner's secret, and locks are printed. */
  static originsOf(holding: object): readonly Origin[] | undefined {
    if (!(#leases in holding)) return undefined
    const { handsOn } = holding.#engine
    return holding.#leases.map(({ session, request, tokens }) => ({ session, request, tokens, handsOn }))
  }

  readonly #engine: Engine
  readonly #leases: readonly Lease[]
  #released: Promise<'released' | 'lost'> | undefined
  #signal: AbortSignal | undefined

  constructor(engine: Engine, leases: readonly Lease[]) {
    this.#engine = engine
    this.#leases = leases
  }

  get held(): boolean {
    return this.#leases.every((lease) => lease.held)
  }

  get atRisk(): boolean {
    return this.#leases.some((lease) => lease.atRisk())
  }

  get expiresAt(): number {
    return Math.min(...this.#leases.map((lease) => lease.expiresAt))
  }

  get signal(): AbortSignal {
    const signals = this.#leases.map((lease) => lease.signal)
    this.#signal ??= signals.length === 1 ? signals[0] : AbortSignal.any(signals)
    return this.#signal as AbortSignal
  }

  assertHeld(): void {
    for (const lease of this.#leases) if (!lease.held) throw lease.error()
  }

  release(): Promise<'released' | 'lost'> {
    const [first, ...more] = this.#leases
    this.#released ??= more.length === 0 ? this.#engine.release(first as Lease) : this.#releaseAll()
    return this.#released
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release()
  }

  async #releaseAll(): Promise<'released' | 'lost'> {
    const outcomes = await Promise.all(this.#leases.map((lease) => this.#engine.release(lease)))
    return outcomes.includes('lost') ? 'lost' : 'released'
  }
}

export class LeaseLock extends LeaseHolding implements Lock {
  readonly name: string
  readonly mode: Mode
  readonly #token: bigint | undefined

  constructor(engine: Engine, lease: Lease) {
    super(engine, [lease])
    this.name = lease.attempt.names[0] as string
    this.mode = lease.request.mode
    this.#token = lease.tokens[0]
  }

  get token(): bigint {
    if (this.#token === undefined) throw new LockError('UNSUPPORTED', 'this backend has no fencing tokens')
    return this.#token
  }
}

export class LeaseLockSet extends LeaseHolding implements LockSet {
  readonly names: readonly string[]
  readonly #tokens: ReadonlyMap<string, bigint>

  constructor(engine: Engine, names: readonly string[], leases: readonly Lease[]) {
    super(engine, leases)
    this.names = names
    this.#tokens = new Map(
      leases.flatMap((lease) =>
        lease.attempt.names.flatMap((name, at) => {
          const token = lease.tokens[at]
          return token === undefined ? [] : [[name, token] as const]
        }),
      ),
    )
  }

  get tokens(): ReadonlyMap<string, bigint> {
    if (this.#tokens.size === 0) throw new LockError('UNSUPPORTED', 'this backend has no fencing tokens')
    return this.#tokens
  }
}
