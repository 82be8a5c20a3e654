import {
  Heartbeat,
  settledWithin,
  type Instant,
  type LockError,
  type Proof,
  type SessionOptions,
} from '@locks/core/backend'
import { unavailable } from './failures.ts'
import { Inbox } from './inbox.ts'
import type { Keys } from './keys.ts'
import type { Lease } from './lease.ts'
import type { Members } from './members.ts'
import { Watches } from './watches.ts'

/** Milliseconds for which the end of the lease is tried; after that it expires. */
const endWithin = 400

export interface LifeParts {
  readonly lease: Lease
  /** What its grant has proved. */
  readonly opened: Proof
  readonly keys: Keys
  readonly members: Members
  /** For the watches only. */
  readonly watchers: Members
  /** The session is over, and its lease may not be. */
  readonly left: (lease: string) => void
}

/** A session's life, from the grant of its lease to its end: what proves it, what ends it, what goes with it. */
export class Life {
  readonly lease: Lease
  readonly watches: Watches
  readonly inbox: Inbox
  readonly ended: Promise<LockError>
  readonly #parts: LifeParts
  readonly #options: SessionOptions
  readonly #heartbeat: Heartbeat
  #end!: (why: LockError) => void
  #ending: Promise<void> | undefined

  constructor(parts: LifeParts, options: SessionOptions, robbed: (who: string, created: bigint) => void) {
    const { lease, opened, keys, members, watchers } = parts
    const { clock, random } = options
    const { ttl } = lease
    this.lease = lease
    this.ended = new Promise((resolve) => (this.#end = resolve))
    this.#parts = parts
    this.#options = options
    this.watches = new Watches({ clock, random, members: watchers })
    const gone = () => void this.finish(unavailable('the lease of the session was revoked or has expired'))
    this.inbox = new Inbox({ keys, lease, watches: this.watches, members, robbed, gone })
    const died = () => void this.finish(unavailable('etcd has not confirmed the lease of the session for a ttl'))
    this.#heartbeat = new Heartbeat({ clock, ttl, period: ttl / 3, beat: (sent) => this.#beat(sent), died }, opened)
  }

  /** The newest. */
  get proof(): Proof {
    return this.#heartbeat.proof
  }

  get over(): boolean {
    return this.#ending !== undefined
  }

  /** A proof that is asked for now. */
  renewed(): Promise<Proof> {
    return this.#heartbeat.renewed()
  }

  /** Ends it, here at once, and at the store if that can be reached; settles when nothing local is left. */
  finish(why: LockError): Promise<void> {
    this.#ending ??= this.#finish(why)
    return this.#ending
  }

  async #finish(why: LockError): Promise<void> {
    const { lease, members, watchers, left } = this.#parts
    this.#heartbeat.end()
    this.watches.close()
    this.#end(why)
    let revoked = false
    await settledWithin(
      this.#options.clock,
      lease.revoke().then(() => (revoked = true)),
      endWithin,
    )
    // Else it expires, or the manager's next session ends it.
    if (!revoked) left(lease.id)
    members.close()
    watchers.close()
  }

  /**
   * A proof: the lease is renewed, and after that a majority still follows the leader of the term in which it was. The
   * order matters: the keepalive's term is older than the renewal, so no leader of an earlier term can have given it, and
   * the read shows that none of a later term had been elected, who would let the lease expire by a time of its own.
   */
  async #beat(sent: Instant): Promise<Proof> {
    const { lease, members } = this.#parts
    // With others to turn to, one that is silent is to be left soon.
    const within = members.count > 1 ? Math.max(lease.ttl / 6, 250) : members.patience
    for (let from = sent, again = false; ; from = this.#options.clock.now(), again = true) {
      const { ttl, term } = await lease.keepAlive(within)
      // Also of a lease that is said to be no more: the session's key is a better witness.
      const confirmed = await this.inbox.read(within)
      if (!this.over && ttl > 0 && term === confirmed) return { sent: from, ttl: Math.min(ttl, lease.ttl) }
      if (again || this.over) throw unavailable('the etcd cluster does not confirm the lease')
    }
  }
}
