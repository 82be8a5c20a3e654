/**
 * Lets so many calls be under way at once; the others wait for their turn. A client that asks for a thousand locks in one
 * breath would otherwise be busy with their answers for longer than its lease lasts, before it reads that of its renewal.
 */
export class Gate {
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(most: number) {
    this.#free = most
  }

  /** Whether anybody waits. */
  get crowded(): boolean {
    return this.#waiting.length > 0
  }

  async pass<T>(call: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    try {
      return await call()
    } finally {
      const next = this.#waiting.shift()
      if (next) next()
      else this.#free++
    }
  }
}
