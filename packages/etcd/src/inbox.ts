import type { IEvent, IKeyValue } from 'etcd3'
import type { Owner } from './entries.ts'
import type { Keys } from './keys.ts'
import type { Lease } from './lease.ts'
import type { Members } from './members.ts'
import * as txn from './transactions.ts'
import type { Watches } from './watches.ts'

export interface InboxOptions {
  readonly keys: Keys
  readonly lease: Lease
  readonly members: Members
  readonly watches: Watches
  /** A thief has taken away this entry, which had its place since this revision. */
  readonly robbed: (who: string, created: bigint) => void
  /** The session's own key has gone, and with it its lease. */
  readonly gone: () => void
}

/**
 * The session's own key, and under it what others have to tell: that they have stolen a lock. It is watched, which also
 * keeps the stream of the watches open, and read with each beat.
 */
export class Inbox {
  readonly #options: InboxOptions

  constructor(options: InboxOptions) {
    this.#options = options
  }

  /** Tries all that a session does with keys. */
  async open({ clientId, owner }: Owner): Promise<void> {
    const { keys, lease, members } = this.#options
    const { key } = keys.session(lease.hex)
    const value = Buffer.from(JSON.stringify({ client: clientId, owner }))
    const success = [txn.put(key, value, lease.id), txn.list(keys.names, 1)]
    const { header } = await members.call((client, options) => client.kv.txn({ success }, options))
    this.#watch(BigInt(header.revision))
  }

  /** The term of the answer, which a majority has confirmed. */
  async read(within: number): Promise<string> {
    const { keys, lease, members, gone } = this.#options
    const range = keys.session(lease.hex)
    const { kvs, header } = await members.callNow((client, options) => client.kv.range(range, options), within)
    if (!kvs.some(({ key }) => key.equals(range.key))) gone()
    this.#take(kvs)
    return header.raft_term
  }

  #watch(revision: bigint): void {
    const { keys, lease, watches } = this.#options
    watches.watch(keys.session(lease.hex), revision + 1n, {
      heard: (events) => this.#hear(events),
      // Each beat reads what may have been lost; only what comes from now on has to be heard.
      lost: (compacted) => this.#watch(compacted),
    })
  }

  #hear(events: readonly IEvent[]): void {
    const { keys, lease, gone } = this.#options
    const own = keys.session(lease.hex).key
    if (events.some(({ type, kv }) => type === 'Delete' && kv.key.equals(own))) gone()
    this.#take(events.flatMap(({ type, kv }) => (type === 'Put' ? [kv] : [])))
  }

  /** Whatever is not taken away will be found again. */
  #take(kvs: readonly IKeyValue[]): void {
    const { keys, members, robbed } = this.#options
    for (const { key, value } of kvs) {
      const who = keys.marked(key)
      if (who === undefined) continue
      robbed(who, /^\d+$/.test(value.toString()) ? BigInt(value.toString()) : 0n)
      members.call((client, options) => client.kv.deleteRange({ key }, options)).catch(() => {})
    }
  }
}
