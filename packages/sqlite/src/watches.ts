import type { FSWatcher } from 'node:fs'
import type { Clock, Timer } from '@locks/core/backend'
import type { WakeFolder } from './wake.ts'

const periodUnwatched = 100

export interface WatchesHost {
  readonly clock: Clock
  readonly session: number
  /** A file cannot be watched. */
  unwatched(error: unknown): void
}

/** The names of which a session wants to be told who leads, each with a file in the wake-up folder and all who listen. */
export class Watches {
  readonly #folder: WakeFolder
  readonly #host: WatchesHost
  readonly #names = new Map<string, Watched>()
  #closed = false

  constructor(folder: WakeFolder, host: WatchesHost) {
    this.#folder = folder
    this.#host = host
  }

  /** `name`: as the table has it. Answers with what ends it. */
  add(name: string, changed: () => void): () => void {
    if (this.#closed) return () => {}
    const watched = this.#names.get(name) ?? new Watched(this.#folder, name, this.#host)
    this.#names.set(name, watched)
    // Its own: the same function may listen twice.
    const told = () => changed()
    watched.listeners.add(told)
    return () => {
      if (!watched.listeners.delete(told) || watched.listeners.size > 0) return
      watched.close()
      if (this.#names.get(name) === watched) this.#names.delete(name)
    }
  }

  close(): void {
    this.#closed = true
    for (const watched of this.#names.values()) watched.close()
    this.#names.clear()
  }
}

class Watched {
  readonly listeners = new Set<() => void>()
  readonly #folder: WakeFolder
  readonly #name: string
  readonly #host: WatchesHost
  #watcher: FSWatcher | undefined
  #timer: Timer | undefined
  #closed = false

  constructor(folder: WakeFolder, name: string, host: WatchesHost) {
    this.#folder = folder
    this.#name = name
    this.#host = host
    this.#watch()
  }

  close(): void {
    this.#closed = true
    this.#timer?.cancel()
    this.#watcher?.close()
    this.#folder.discard(this.#host.session, this.#name)
  }

  #watch(): void {
    const tell = () => this.listeners.forEach((told) => told())
    try {
      this.#watcher = this.#folder.watch(this.#host.session, tell, (error) => this.#ended(error), this.#name)
    } catch (error) {
      this.#unwatched(error)
    }
  }

  /** A session that has no entries may be taken for dead, and its files removed. */
  #ended(error: unknown): void {
    if (this.#closed) return
    this.#watcher?.close()
    if (error === undefined) this.#watch()
    else this.#unwatched(error)
    // Something may have changed while there was no file to say so.
    for (const told of this.listeners) told()
  }

  #unwatched(error: unknown): void {
    this.#watcher = undefined
    this.#folder.discard(this.#host.session, this.#name)
    // Taken away in the moment in which it was made: nothing is wrong with watching.
    const taken = (error as { code?: unknown }).code === 'ENOENT'
    if (!taken) this.#host.unwatched(error)
    this.#poll(taken)
  }

  #poll(again: boolean): void {
    this.#timer = this.#host.clock.after(periodUnwatched, () => {
      if (again) this.#watch()
      else this.#poll(again)
      for (const told of this.listeners) told()
    })
  }
}
