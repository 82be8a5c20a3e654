import type { Lock, LockSet } from '@locks/core'
import { fromOwnScale, now } from '../now.ts'
import type { Acquire, Hold, Reading } from '../records.ts'
import type { Port } from './port.ts'

/** A release that is answered sooner has been confirmed by the store; after 500 ms core waits no longer for that. */
const unconfirmed = 400

/** Readings in between say nothing new. */
const sparse = 250

/** A lock as its holder sees it: for how long it believes in it, and on what grounds. */
export class Belief {
  readonly #lock: Lock | LockSet
  readonly #calls: readonly Acquire[]
  readonly #port: Port
  readonly #readings: Reading[] = []
  readonly #from = now()
  #until = this.#from
  #last: Reading | undefined

  constructor(lock: Lock | LockSet, calls: readonly Acquire[], port: Port) {
    this.#lock = lock
    this.#calls = calls
    this.#port = port
    this.read()
    this.#tell('died')
  }

  get held(): boolean {
    return this.read().held
  }

  /** Looks whether it is held. `blocked`: nothing else of this process has run since the last time. */
  read({ blocked = false } = {}): Reading {
    const last = this.#last
    // In this order: a deadline that is read first may have been put off when `held` is.
    const at = now()
    const { held } = this.#lock
    const expiresAt = fromOwnScale(this.#lock.expiresAt)
    const reading: Reading = { at, held, expiresAt, ...(blocked && last && { blocked: last }) }
    const flipped = last?.held !== held
    if (held) this.#until = at
    if (blocked || flipped || at - (this.#readings.at(-1)?.at ?? 0) > sparse) {
      this.#readings.push(reading)
      if (last) this.#tell('died')
    }
    this.#last = { at, held, expiresAt }
    return reading
  }

  end(how: 'released' | 'lost'): void {
    const at = now()
    this.#tell(how, how === 'released' && at - this.#until < unconfirmed ? at : undefined)
  }

  #tell(end: Hold['end'], released?: number): void {
    for (const { id, client, name, mode, permits, weight, token } of this.#calls) {
      this.#port.holds({
        id: id + 1,
        action: 'hold',
        client,
        name,
        acquire: id,
        mode,
        ...(permits !== undefined && { permits, weight }),
        token,
        from: this.#from,
        until: this.#until,
        end,
        ...(released !== undefined && { released }),
        readings: [...this.#readings],
      })
    }
  }
}
