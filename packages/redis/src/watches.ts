import type { Listener } from './listener.ts'

interface Watch {
  readonly watchers: Set<() => void>
  readonly inForce: Promise<void>
}

/** Who wants to be told of which name. A name has one subscription, however many watch it. */
export class Watches {
  readonly #listener: Pick<Listener, 'subscribe' | 'unsubscribe'>
  /** By channel. */
  readonly #watches = new Map<string, Watch>()

  constructor(listener: Pick<Listener, 'subscribe' | 'unsubscribe'>) {
    this.#listener = listener
  }

  /** Settles when it is in force, with what ends it. */
  async add(channel: string, changed: () => void): Promise<() => void> {
    const watch = this.#watches.get(channel) ?? this.#begin(channel)
    // Its own: the same function may watch twice.
    const told = () => changed()
    watch.watchers.add(told)
    const end = () => {
      if (!watch.watchers.delete(told) || watch.watchers.size > 0) return
      this.#watches.delete(channel)
      this.#listener.unsubscribe(channel)
    }
    try {
      await watch.inForce
    } catch (error) {
      end()
      throw error
    }
    return end
  }

  tell(channel: string): void {
    for (const told of this.#watches.get(channel)?.watchers ?? []) told()
  }

  /** Whatever there was to tell may have been lost. */
  tellAll(): void {
    for (const channel of this.#watches.keys()) this.tell(channel)
  }

  #begin(channel: string): Watch {
    const watch = { watchers: new Set<() => void>(), inForce: this.#listener.subscribe(channel) }
    this.#watches.set(channel, watch)
    return watch
  }
}
