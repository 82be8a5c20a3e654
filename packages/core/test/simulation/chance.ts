import type { Random } from '@locks/core/backend'

/** Chance that is the same in every run of a seed. Each party has a stream of its own, so that one more draw of one of
 * them changes nothing for the others. */
export class Chance implements Random {
  readonly #label: string
  #state: number
  #ids = 0
  /** The newest id that was given. */
  lastId = ''

  constructor(seed: number, label: string) {
    this.#label = label
    this.#state = seed
    for (const letter of label) this.#state = (Math.imul(this.#state, 31) + letter.charCodeAt(0)) | 0
  }

  id(): string {
    this.lastId = `${this.#label}.${++this.#ids}`
    return this.lastId
  }

  /** mulberry32 */
  unit(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  between(least: number, most: number): number {
    return least + (most - least) * this.unit()
  }
}
