import type { FSWatcher } from 'node:fs'
import type { Clock, Timer } from '@locks/core/backend'
import type { WakeFolder } from './wake.ts'

const periodUnwatched = 100

export interface WatchHost {
  readonly clock: Clock
  readonly session: number
  /** A file cannot be watched. */
  unwatched(error: unknown): void
}

/** A name of which a session wants to be told who leads: a file in the wake-up folder. */
export class Watch {
  readonly #folder: WakeFolder
  readonly #name: string
  readonly #host: WatchHost
  readonly #tell: () => void
  #watcher: FSWatcher | undefined
  #timer: Timer | undefined
  #closed = false

  /** `name`: as the table has it. */
  constructor(folder: WakeFolder, name: string, host: WatchHost, tell: () => void) {
    this.#folder = folder
    this.#name = name
    this.#host = host
    this.#tell = tell
    this.#watch()
  }

  close(): void {
    this.#closed = true
    this.#timer?.cancel()
    this.#watcher?.close()
    this.#folder.discard(this.#host.session, this.#name)
  }

  #watch(): void {
    try {
      this.#watcher = this.#folder.watch(this.#host.session, this.#tell, (error) => this.#ended(error), this.#name)
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
    this.#tell()
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
      this.#tell()
    })
  }
}
