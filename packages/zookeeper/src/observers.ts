import type { Call } from './client.ts'
import { seatOf } from './contenders.ts'
import { addWatch, events, removeWatch } from './operations.ts'
import type { Paths } from './paths.ts'

/** A name that is observed. */
interface Observed {
  readonly told: Set<() => void>
  /** Settles when every later change will be told. */
  begun: Promise<void>
}

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
  readonly #all = new Map<string, Observed>()

  constructor(call: Call, paths: Paths) {
    this.#call = call
    this.#paths = paths
  }

  async watch(name: string, changed: () => void): Promise<() => void> {
    const parent = this.#paths.parent(name)
    const observed = this.#all.get(parent) ?? this.#begin(parent)
    // Its own: the same function may watch twice.
    const told = () => changed()
    observed.told.add(told)
    await observed.begun
    return () => {
      if (!observed.told.delete(told) || observed.told.size > 0) return
      this.#all.delete(parent)
      // Ahead of the next watch, if there is one. Without a connection there is nothing to be removed.
      this.#call(removeWatch(parent)).catch(() => {})
    }
  }

  changed(path: string, event: number): void {
    const end = path.lastIndexOf('/')
    const observed = this.#all.get(path.slice(0, end))
    if (observed && mayLead(path.slice(end + 1), event)) tell(observed)
  }

  /** The connection has been replaced: the watches are gone with the old one, and what they would have told. */
  restored(): void {
    for (const [parent, observed] of this.#all) {
      // Told when it watches again, and not before: what they would see then might be changed without a word.
      this.#call(addWatch(parent)).then(
        () => tell(observed),
        () => {},
      )
    }
  }

  clear(): void {
    this.#all.clear()
  }

  #begin(parent: string): Observed {
    const begun = this.#call(addWatch(parent)).catch((error: unknown) => {
      this.#all.delete(parent)
      throw error
    })
    const observed: Observed = { told: new Set(), begun }
    this.#all.set(parent, observed)
    return observed
  }
}

/** Whether what happened to a node can have made a leader, or ended one: a claim that has only come waits, but for a thief. */
function mayLead(node: string, event: number): boolean {
  const seat = seatOf(node)
  return seat?.mode === 'exclusive' && (event !== events.created || seat.thief)
}

function tell({ told }: Observed): void {
  for (const each of told) each()
}
