import type { Clock, Timer } from '@locks/core/backend'
import type { Line } from './ledger.ts'

export interface WaitsOptions {
  readonly clock: Clock
  waiting(): readonly Line[]
  /** Asks whether somebody who waits under this name can be granted. */
  look(at: Line): void
}

/** Milliseconds between two looks for those who have died, and for what was not told: nobody else tells of a death. */
const period = 500

/** Has the session look after those who wait: when it is told that there is room, and now and then. */
export class Waits {
  readonly #options: WaitsOptions
  #timer: Timer | undefined
  #closed = false

  constructor(options: WaitsOptions) {
    this.#options = options
  }

  /** Somebody waits. */
  start(): void {
    if (this.#closed || this.#timer) return
    this.#timer = this.#options.clock.after(period, () => {
      this.#timer = undefined
      if (this.lookAtAll()) this.start()
    })
  }

  /** Whether anybody waits. */
  lookAtAll(): boolean {
    const waiting = this.#options.waiting()
    this.look(waiting)
    return waiting.length > 0
  }

  /** Once a name. */
  look(lines: readonly Line[]): void {
    const names = new Map(lines.filter(({ state }) => state === 'queued').map((line) => [line.stored, line]))
    for (const line of names.values()) this.#options.look(line)
  }

  close(): void {
    this.#closed = true
    this.#timer?.cancel()
  }
}
