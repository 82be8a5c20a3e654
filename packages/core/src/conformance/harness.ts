import type { Capabilities } from '../capabilities.ts'
import type { Backend } from '../contract.ts'

/**
 * What the suite needs from outside to hold one backend to the contract. Nothing here switches a case off: that is
 * for the backend's own capabilities to say.
 */
export interface Harness {
  /** What the tables call it: `redis-cluster`. */
  readonly backend: string
  readonly capabilities: Capabilities
  /** The ttl of cases that wait for one to pass, ms: the shortest at which this store and machine keep their promises. */
  readonly ttl: number
  /** A backend on the store under test, for one more client. All of one harness are on the same store. */
  open(): Backend | Promise<Backend>
  /** The same over a line that can fail. */
  openWired(): Wired | Promise<Wired>
  /** Deletes whoever holds a name at the store, behind every client's back. Both as `encodeName` makes them. */
  evict(namespace: string, name: string): Promise<void>
  /** How another process reaches the store; needed unless the scope is `process`. */
  readonly child?: ChildOptions | undefined
}

export interface ChildOptions {
  readonly url: string
  /** The URL of the module that exports the `adapter`. */
  readonly adapter: string
  /** Arguments for `node`, such as those that run TypeScript. */
  readonly execArgv?: readonly string[] | undefined
}

export interface Wired {
  readonly backend: Backend
  readonly wire: Wire
}

/** The line between one client and its store, and what may befall it. Each settles when it is in force. */
export interface Wire {
  /** Nothing arrives and nothing is answered, as with a stopped server; `heal` delivers what was sent meanwhile. */
  silence(): Promise<void>
  /** Everything arrives and is applied; no answer comes back, not even after `heal`, which may end the connection. */
  dropAnswers(): Promise<void>
  /** Everything arrives and is applied; the answers and the events of the meantime come with `heal`. */
  delayAnswers(): Promise<void>
  /** Calls fail at once, and events are lost. */
  cut(): Promise<void>
  /** Calls work, but no event arrives; those of the meantime are lost. */
  deafen(): Promise<void>
  /**
   * After `silence`, a new connection: what is sent from now on arrives at once; what the old one had taken arrives
   * with `heal`, and is not answered.
   */
  reconnect(): Promise<void>
  /** All is well again, though a driver that lost its connection has to make another first. */
  heal(): Promise<void>
  /** The session ends at the store. */
  end(): Promise<void>
  /** How many requests have left for the store so far, those that the line holds up included. */
  sent(): Promise<number>
  /** How many round trips have begun so far: requests that leave without waiting for an answer share one. */
  roundTrips(): Promise<number>
}
