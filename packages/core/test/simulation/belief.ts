import type { Lock, LockSet } from '@locks/core'
import type { Mode } from '@locks/core/backend'
import type { Call } from './client.ts'
import type { Machine } from './machine.ts'

/** How a lock was asked for. */
export interface Wish {
  readonly names: readonly string[]
  readonly mode: Mode
  readonly permits?: number
  readonly weight?: number
  readonly steal?: boolean
}

/** A lock that a client was given, and what the client takes for true of it. */
export class Belief {
  readonly lock: Lock | LockSet
  readonly wish: Wish
  /** Whether it was waited for. */
  readonly waits: boolean
  readonly tokens: ReadonlyMap<string, bigint>
  readonly machine: Machine
  /** The longest that the store may have granted, ms. */
  readonly ttl: number
  /** Whether its holder has let go of it while it held it; unknown where time went by in that moment. */
  released: boolean | 'perhaps' = false
  /** True once anybody who asked was told that it is lost. */
  seenLost = false
  /** For how long the machine had been awake when it was no longer held. */
  lostAt: number | undefined
  aborts = 0
  /** What its program does as soon as it is told of the loss. */
  onLost: () => void = () => {}
  /** Whether it has been told of a loss, if it has to be. */
  told: () => boolean

  constructor(
    lock: Lock | LockSet,
    { wish, waits }: Pick<Call, 'wish' | 'waits'>,
    machine: Machine,
    ttl: number,
    listens: boolean,
  ) {
    this.lock = lock
    this.wish = wish
    this.waits = waits
    this.machine = machine
    this.ttl = ttl
    this.tokens = 'tokens' in lock ? lock.tokens : new Map([[lock.name, lock.token]])
    this.told = () => !listens || this.aborts > 0
    if (!listens) return
    const abort = () => {
      this.aborts++
      this.seenLost = true
      this.onLost()
    }
    // Read once: every reading of it may find the deadline passed.
    const { signal } = lock
    if (signal.aborted) abort()
    else signal.addEventListener('abort', abort)
  }

  /** What `held` would answer at this moment, without the asking, which ends a lease whose deadline has passed. */
  get held(): boolean {
    return this.machine.alive && this.lock.expiresAt > this.machine.now().mono
  }
}
