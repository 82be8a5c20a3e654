import type { Keys } from './keys.ts'
import { channelPrefix } from './sql/elections.ts'

export interface WatchesOptions {
  readonly keys: Keys
  /** Settles when the connection that there is now hears of a channel; rejects where there is none. */
  readonly listen: (channel: string) => Promise<void>
  readonly unlisten: (channel: string) => void
}

interface Watched {
  readonly watchers: Set<() => void>
  readonly listening: Promise<void>
}

/** Who is told of which name. Each name has a channel, which whoever changes its row tells in the same transaction. */
export class Watches {
  readonly #options: WatchesOptions
  readonly #watched = new Map<string, Watched>()

  constructor(options: WatchesOptions) {
    this.#options = options
  }

  /** What another connection has to listen to. */
  get channels(): readonly string[] {
    return [...this.#watched.keys()]
  }

  async watch(name: string, changed: () => void): Promise<() => void> {
    const channel = `${channelPrefix}${this.#options.keys.key(name)}`
    const watched = this.#watched.get(channel) ?? this.#listen(channel)
    // Its own: the same function may watch twice.
    const told = () => changed()
    watched.watchers.add(told)
    try {
      await watched.listening
    } catch (error) {
      // With all others who wait for the same: whoever watches next asks anew.
      if (this.#watched.get(channel) === watched) this.#watched.delete(channel)
      throw error
    }
    return () => {
      if (!watched.watchers.delete(told) || watched.watchers.size > 0) return
      if (this.#watched.get(channel) !== watched) return
      this.#watched.delete(channel)
      this.#options.unlisten(channel)
    }
  }

  heard(channel: string): void {
    for (const told of this.#watched.get(channel)?.watchers ?? []) told()
  }

  /** News may have been lost until now. */
  tellAll(): void {
    for (const channel of this.channels) this.heard(channel)
  }

  close(): void {
    this.#watched.clear()
  }

  #listen(channel: string): Watched {
    const watched: Watched = { watchers: new Set(), listening: this.#options.listen(channel) }
    this.#watched.set(channel, watched)
    return watched
  }
}
