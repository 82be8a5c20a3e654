import type { Claim, Clock, Entry, Grant, Instant, Proof } from '@locks/core/backend'
import type { Op } from './batch.ts'
import type { Connection } from './connection.ts'
import type { Keys } from './keys.ts'
import type { Ledger, Line } from './ledger.ts'
import type { Listener } from './listener.ts'
import type { Outbox } from './outbox.ts'

/** What a session keeps at the server, and how: with tables for the queue, or with nothing but advisory locks. */
export interface Form {
  /** Whether something can go in one statement with what goes already. */
  joins(op: Op, taken: readonly Op[]): boolean
  /** Settles when all of it has been answered, one way or the other. */
  send(ops: readonly Op[]): Promise<void>
  /** Asks for an answer, which shows that the connection lasts; when the question left. */
  beat(): Promise<Instant>
  query(name: string | undefined): Promise<readonly Entry[]>
  own(): Promise<readonly Claim[]>
  /** Frees and removes all that the session has. */
  leave(): Promise<void>
  /** Lets go of every timer. */
  close(): void
}

/** What a form is made of and tells. */
export interface FormParts {
  readonly clock: Clock
  readonly namespace: string
  readonly keys: Keys
  /** The connection that is the session. */
  readonly lock: Connection
  readonly listener: Listener
  readonly ledger: Ledger
  readonly outbox: Outbox
  /** What the answer to a statement proves that left then: the server counts the ttl anew from each. */
  readonly proved: (sent: Instant) => Proof
  /** Somebody who waited was granted. */
  readonly granted: (grant: Grant) => void
  /** A lock is gone that nobody has released. */
  readonly lost: (line: Line) => void
  /** What the server has of the session cannot be found out. */
  readonly broken: (error: unknown) => void
}
