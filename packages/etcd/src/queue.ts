import { granted } from '@locks/core/backend'
import type { IEvent } from 'etcd3'
import { foundIn, holds, type Found } from './entries.ts'
import type { Keys } from './keys.ts'
import type { View } from './verbs.ts'

/** What this process knows of a name's queue: a view of it, and what has happened since. */
export class Queue {
  readonly #keys: Keys
  #holders = new Map<string, Found>()
  /** In the order in which they came. */
  #waiters = new Map<string, Found>()
  /** Everything up to it has been seen. */
  #revision = 0n

  constructor(keys: Keys, view: View) {
    this.#keys = keys
    this.read(view)
  }

  get revision(): bigint {
    return this.#revision
  }

  get size(): number {
    return this.#holders.size + this.#waiters.size
  }

  /** When the latest of those who are in it came to its place. */
  get latest(): bigint {
    let latest = 0n
    for (const all of [this.#holders, this.#waiters]) {
      for (const { created } of all.values()) if (created > latest) latest = created
    }
    return latest
  }

  read({ queue, revision }: View): void {
    if (revision < this.#revision) return
    this.#revision = revision
    this.#holders = new Map(queue.filter(holds).map((each) => [keyOf(each), each]))
    this.#waiters = new Map(queue.filter((each) => !holds(each)).map((each) => [keyOf(each), each]))
  }

  heard(events: readonly IEvent[]): void {
    const before = this.#revision
    for (const { type, kv } of events) {
      const revision = BigInt(kv.mod_revision)
      // Of what a view has shown.
      if (revision <= before) continue
      this.#revision = revision
      // What is deleted has a key and nothing else.
      const found = foundIn(this.#keys, { ...kv, create_revision: type === 'Put' ? kv.create_revision : '0' })
      if (!found) continue
      const all = holds(found) ? this.#holders : this.#waiters
      if (type === 'Put') all.set(keyOf(found), found)
      else all.delete(keyOf(found))
    }
  }

  /** Those who hold, and those who may. */
  granted(): Found[] {
    return granted(this.#all())
  }

  *#all(): Iterable<Found> {
    yield* this.#holders.values()
    yield* this.#waiters.values()
  }
}

const keyOf = ({ place }: Found): string => `${place.rank}/${place.who}`
