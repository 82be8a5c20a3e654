/**
 * The only thing that core and a store's adapter both know. An adapter speaks its store's protocol and nothing else:
 * deadlines, renewal, time-outs, signals, retries, removal until confirmed and events are core's.
 *
 * An adapter throws `LockError`s: `UNAVAILABLE` when nothing was applied, `OUTCOME_UNKNOWN` when that cannot be said
 * (core calls again), anything not `temporary` when calling again is no use (core tells the caller). Core gives every
 * call a deadline of its own, and may call again while an earlier call is still pending.
 */
import type { Clock, Instant } from './clock.ts'
import type { Capabilities } from './capabilities.ts'
import type { LockError } from './errors.ts'
import type { Contender, Mode } from './queue.ts'
import type { Random } from './random.ts'

/** The store's word that it keeps an entry at least until `sent + ttl`. */
export interface Proof {
  /** Read from core's clock **before** the request left that this answers. */
  readonly sent: Instant
  /** Milliseconds, as the store granted them. */
  readonly ttl: number
}

/** What a session wants or has of one or several names. The id is the owner's secret: only it renews and removes. */
export interface Claim {
  readonly id: string
  /** As `encodeName` made them, distinct. Several only where the backend declares `sets: 'atomic'`. */
  readonly names: readonly string[]
}

export interface Request extends Claim, Contender {
  /** False: answer `null` unless it can be granted at once; leave nothing behind. */
  readonly wait: boolean
  /** Take the name from whoever holds it, ahead of all who wait, who keep their places. */
  readonly steal: boolean
  /** Kept beside the entry and shown by `query`. Text without NUL and lone surrogates; with one, exclusive name. */
  readonly value?: string | undefined
}

/**
 * The tokens of two conflicting grants of a name lie at least so far apart: a manager may hand a lock on to its own
 * waiters, each with a token of its own that lies between its grant's and the next.
 */
export const tokenSpacing = 64

export interface Grant {
  readonly id: string
  /** One a name, in the order of the claim's names, minted when the lock was granted and not when it queued. */
  readonly tokens: readonly bigint[]
  readonly proof: Proof
}

/** How an entry ended at the store without being removed by its own session. */
export type Loss = 'gone' | 'stolen'

/** One claim on one name, as `query` finds it. */
export interface Entry {
  readonly name: string
  readonly mode: Mode
  readonly permits?: number | undefined
  readonly weight?: number | undefined
  readonly clientId: string
  readonly owner: string
  /** False: it waits. */
  readonly holds: boolean
  /** A holder's, where the backend has tokens. */
  readonly token?: bigint | undefined
  /** Epoch ms by the store's or the entry's own clock: granted for a holder, queued for a waiter. */
  readonly since?: number | undefined
  /** That of its request. Who holds with one is shown to hold from when its token is minted. */
  readonly value?: string | undefined
}

export interface SessionEvents {
  /** A queued claim was granted, as the store confirmed after the claim's own entry. Told at once; once will do. */
  granted(grant: Grant): void
  /** An entry ended at the store. A hint that saves time: `renew` finds the same. */
  lost(id: string, how: Loss): void
}

export interface SessionOptions {
  readonly namespace: string
  /** Public and random, one a manager. */
  readonly clientId: string
  /** The manager's label, for whoever asks who holds a lock. */
  readonly owner: string
  readonly ttl: number
  readonly clock: Clock
  readonly random: Random
  readonly events: SessionEvents
}

export interface Backend {
  readonly name: string
  readonly capabilities: Capabilities
  /** Connects, checks that the deployment can keep the capabilities, and rejects where it cannot. */
  open(options: SessionOptions): Promise<Session>
}

/** One client's standing with the store. It ends once and is never revived: core opens another and claims anew. */
export interface Session {
  /** Milliseconds, as the store granted them. */
  readonly ttl: number
  /** True when calls take effect in the order in which they are made; otherwise core sends those of a name one by one. */
  readonly ordered: boolean
  /**
   * What keeps an entry: `entry`, its own renewals, so that one that nobody wants dies of itself; `session`, the
   * session with all that it has, so that it must be removed or the session ended.
   */
  readonly leases: 'entry' | 'session'
  /**
   * Settles when the session is over and no entry of it will be kept longer than its ttl. A session that cannot
   * prove itself for a ttl must end.
   */
  readonly ended: Promise<LockError>
  /**
   * Atomic over its names. A repeated id finds its own entry and changes nothing. `'queued'` promises `granted`
   * later; while queued it is alive only by `renew`, and a dead waiter is passed over. A name of another kind or
   * limit rejects with `INVALID_ARGUMENT`.
   */
  acquire(request: Request): Promise<Grant | 'queued' | null>
  /**
   * Keeps holders and waiters alive, and grants whoever can be granted. A `Grant` for every holder, which also
   * makes up for a `granted` that was lost; a `Proof` for every waiter; a `Loss` for what is not there: an entry
   * that expired or was removed is never revived. Absent: unknown.
   */
  renew(claims: readonly Claim[]): Promise<ReadonlyMap<string, Grant | Proof | Loss>>
  /**
   * Releases, cancels or undoes, grants whoever can be granted then, and settles when the entry's absence is
   * confirmed: true if this call removed it, false if it was not there.
   */
  remove(claim: Claim): Promise<boolean>
  /** Every claim that the store has of this session and that would not expire by itself: for the audit. */
  own(): Promise<readonly Claim[]>
  /**
   * Every later grant of this name gets a token that is higher than this by `tokenSpacing` or more. Where the backend declares `raises`; for a name that the
   * session holds.
   */
  raise?(name: string, token: bigint): Promise<void>
  /**
   * Tells whenever it may have changed who holds a name with a value: once the change is seen by `query`, by whichever
   * client, and after a connection was made anew. It may tell for nothing, and too often; it is a hint that saves
   * time. Settles when it is in force, with what ends it; it ends with the session too. Where the backend declares
   * `elections`.
   */
  watch?(name: string, changed: () => void): Promise<() => void>
  /**
   * Atomic per name, in queue order, holders first; all names of the namespace when none is given. Shows what had been
   * confirmed to anybody before it was asked.
   */
  query(name?: string): Promise<readonly Entry[]>
  /** Ends the session at the store if it can be reached; lets go of every local resource in any case. */
  close(): Promise<void>
}
