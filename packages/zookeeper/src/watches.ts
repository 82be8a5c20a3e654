import type { Call } from './client.ts'
import { code, unless } from './failures.ts'
import { children } from './operations.ts'
import type { Place } from './place.ts'

interface Watch {
  readonly places: Set<Place>
  /** Whether the node was there. */
  readonly set: Promise<boolean>
}

/**
 * Who is to be woken when a node goes. One watch a node, whoever is behind it here. It is a watch for the children of a
 * node that has none: it tells of nothing but the node's end, where others also tell of its data, which is written when
 * its owner is granted the lock and wakes nobody. Of a node that is gone, it leaves nothing at the server.
 */
export class Watches {
  readonly #call: Call
  readonly #wake: (place: Place) => void
  readonly #watches = new Map<string, Watch>()

  constructor(call: Call, wake: (place: Place) => void) {
    this.#call = call
    this.#wake = wake
  }

  /** False: the node is gone. Otherwise the place is woken once when it goes. */
  on(path: string, place: Place): Promise<boolean> {
    const there = this.#watches.get(path)
    if (there) {
      there.places.add(place)
      return there.set
    }
    const set = unless(
      this.#call(children(path, true)).then(() => true),
      false,
      code.noNode,
    )
    const watch: Watch = { places: new Set([place]), set }
    this.#watches.set(path, watch)
    const drop = () => this.#watches.get(path) === watch && this.#watches.delete(path)
    set.then((found) => !found && drop(), drop)
    return set
  }

  off(path: string, place: Place): void {
    this.#watches.get(path)?.places.delete(place)
  }

  changed(path: string): void {
    const watch = this.#watches.get(path)
    this.#watches.delete(path)
    for (const place of watch?.places ?? []) this.#wake(place)
  }

  /** The connection that they were set on is gone. */
  clear(): void {
    this.#watches.clear()
  }
}
