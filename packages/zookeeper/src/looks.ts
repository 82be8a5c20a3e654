import type { Ledger } from './ledger.ts'
import type { Nodes, Queue } from './nodes.ts'
import type { Place } from './place.ts'
import type { Queues } from './queues.ts'

export interface LooksOptions {
  readonly ledger: Ledger
  readonly nodes: Nodes
  readonly queues: Queues
  readonly granted: (place: Place) => void
  /** Its node is not there any more. */
  readonly gone: (place: Place) => void
}

/** So many names are looked at with each renewal. */
const mostAtOnce = 20

/** Looks after those who wait: grants whoever can be granted, and tells of it. */
export class Looks {
  readonly #options: LooksOptions
  /** Woken, and not looked after yet. */
  readonly #woken = new Set<Place>()
  /** How far `some` has come. */
  #next = 0

  constructor(options: LooksOptions) {
    this.#options = options
  }

  /** Those of one name who are woken in the same moment look at one list. */
  wake(place: Place): void {
    if (!place.waits) return
    if (this.#woken.size === 0) queueMicrotask(() => this.#wakeAll())
    this.#woken.add(place)
  }

  /** On a new connection: nobody would be woken any more. */
  all(): void {
    for (const [name, places] of this.#options.ledger.waiting()) void this.#look(name, places)
  }

  /** No notice is lost while a connection lasts; should it happen all the same, it costs a while, and not the lock. */
  async some(): Promise<void> {
    const waiting = [...this.#options.ledger.waiting()]
    const from = waiting.length > mostAtOnce ? this.#next % waiting.length : 0
    const names = [...waiting.slice(from), ...waiting.slice(0, from)].slice(0, mostAtOnce)
    this.#next = from + mostAtOnce
    await Promise.all(names.map(([name, places]) => this.#look(name, places)))
  }

  #wakeAll(): void {
    const byName = Map.groupBy(this.#woken, ({ name }) => name)
    this.#woken.clear()
    for (const [name, places] of byName) void this.#look(name, places)
  }

  async #look(name: string, places: readonly Place[]): Promise<void> {
    try {
      const list = await this.#options.nodes.list(name)
      await Promise.all(places.map((place) => this.#lookAfter(place, list)))
    } catch {
      // Without a connection; the next one brings them here again, and so does the next renewal.
    }
  }

  async #lookAfter(place: Place, list: Queue): Promise<void> {
    const { queues, granted, gone } = this.#options
    try {
      if ((await queues.decide(place, list)) === 'held' && !place.unwanted) granted(place)
    } catch {
      if (place.node === undefined && !place.unwanted) gone(place)
    }
  }
}
