import { Subscriptions } from '@locks/core/backend'
import type { Call } from './client.ts'
import { seatOf } from './contenders.ts'
import { addWatch, events, removeWatch } from './operations.ts'
import type { Paths } from './paths.ts'

/**
 * Whoever is to be told that a name may have another leader: one watch a name, however many observe it here, and none of
 * those that waiters set. It is persistent and recursive: it stays when it has told of something, so nothing is missed
 * between an event and the next watch; it needs no parent to be there; and it tells of the write by which a leader's grant
 * is confirmed, which changes no list of children.
 */
export class Observers {
  readonly #call: Call
  readonly #paths: Paths
  /** By the parent's path. */
  readonly #all: Subscriptions

  constructor(call: Call, paths: Paths) {
    this.#call = call
    this.#paths = paths
    this.#all = new Subscriptions(async (parent) => {
      await call(addWatch(parent))
      // Ahead of the next watch, if there is one. Without a connection there is nothing to be removed.
      return () => void call(removeWatch(parent)).catch(() => {})
    })
  }

  add(name: string, changed: () => void): Promise<() => void> {
    return this.#all.add(this.#paths.parent(name), changed)
  }

  changed(path: string, event: number): void {
    const end = path.lastIndexOf('/')
    if (mayLead(path.slice(end + 1), event)) this.#all.tell(path.slice(0, end))
  }

  /** The connection has been replaced: the watches are gone with the old one, and what they would have told. */
  restored(): void {
    for (const parent of this.#all.keys) {
      // Told when it watches again, and not before: what they would see then might be changed without a word.
      this.#call(addWatch(parent)).then(
        () => this.#all.tell(parent),
        () => {},
      )
    }
  }

  close(): void {
    this.#all.close()
  }
}

/** Whether what happened to a node can have made a leader, or ended one: a claim that has only come waits, but for a thief. */
function mayLead(node: string, event: number): boolean {
  const seat = seatOf(node)
  return seat?.mode === 'exclusive' && (event !== events.created || seat.thief)
}
