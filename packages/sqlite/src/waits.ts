import type { FSWatcher } from 'node:fs'
import type { Claim, Clock, Timer } from '@locks/core/backend'
import type { WakeFolder } from './wake.ts'

const period = 1_000
const periodUnwatched = 100

export interface WaitsHost {
  readonly clock: Clock
  readonly session: number
  /** Finds out what has happened to those who wait, with `all` by itself too; calls `expect` then. */
  look(all: boolean): void
  /** The wake-up file cannot be watched. */
  unwatched(error: unknown): void
}

/**
 * The claims of a session that wait for others. While there are any, it looks for news when its wake-up file is
 * written to, and after those ahead of them when the first of these expires, and now and then.
 */
export class Waits {
  readonly #folder: WakeFolder
  readonly #host: WaitsHost
  readonly #claims = new Map<string, Claim>()
  #watcher: FSWatcher | undefined
  #timer: Timer | undefined
  #lookAt = Number.POSITIVE_INFINITY
  #closed = false

  constructor(folder: WakeFolder, host: WaitsHost) {
    this.#folder = folder
    this.#host = host
  }

  get names(): ReadonlySet<string> {
    return new Set([...this.#claims.values()].flatMap((claim) => claim.names))
  }

  /** `ms`: when the next of those ahead of it expires. */
  add(claim: Claim, ms: number): void {
    if (this.#closed) return
    const first = this.#claims.size === 0
    this.#claims.set(claim.id, claim)
    if (first) this.#watch()
    this.expect(ms)
  }

  delete(id: string): void {
    if (this.#claims.delete(id) && this.#claims.size === 0) this.#rest()
  }

  close(): void {
    this.#closed = true
    this.#claims.clear()
    this.#rest()
  }

  /** Looks in `ms` at the latest. */
  expect(ms: number): void {
    if (this.#claims.size === 0) return
    const { clock } = this.#host
    const wait = Math.max(1, Math.ceil(Math.min(ms, this.#watcher ? period : periodUnwatched)))
    const at = clock.now().mono + wait
    if (this.#timer && this.#lookAt <= at) return
    this.#timer?.cancel()
    this.#lookAt = at
    this.#timer = clock.after(wait, () => {
      this.#timer = undefined
      this.#host.look(true)
    })
  }

  #rest(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#unwatch()
  }

  #watch(): void {
    const look = () => this.#host.look(false)
    try {
      this.#watcher = this.#folder.watch(this.#host.session, look, (error) => this.#watchEnded(error))
    } catch (error) {
      this.#unwatched(error)
    }
    // Something may have happened before the file was there to say so.
    look()
  }

  #watchEnded(error: unknown): void {
    this.#unwatch()
    if (error === undefined) this.#watch()
    else this.#unwatched(error)
  }

  #unwatched(error: unknown): void {
    this.#folder.discard(this.#host.session)
    this.#host.unwatched(error)
    this.expect(periodUnwatched)
  }

  #unwatch(): void {
    if (!this.#watcher) return
    this.#watcher.close()
    this.#watcher = undefined
    this.#folder.discard(this.#host.session)
  }
}
