/**
 * Lets so many calls be under way at once; the others wait for their turn. A client that asks for a thousand locks in one
 * breath would otherwise be busy with their answers for longer than its lease lasts, before it reads that of its renewal.
 */
export class Gate {
  #free: number
  readonly #waiting: (() => void)[] = []
  readonly #first: (() => void)[] = []

  constructor(most: number) {
    this.#free = most
  }

  /** Whether anybody waits. */
  get crowded(): boolean {
    return this.#waiting.length + this.#first.length > 0
  }

  /** `first`: ahead of those that are not. */
  async pass<T>(call: () => Promise<T>, first = false): Promise<T> {
    if (this.#free > 0) this.#free--
    else await new Promise<void>((resolve) => (first ? this.#first : this.#waiting).push(resolve))
    try {
      return await call()
    } finally {
      const next = this.#first.shift() ?? this.#waiting.shift()
      if (next) next()
      else this.#free++
    }
  }
}
