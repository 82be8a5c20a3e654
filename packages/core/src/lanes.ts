/**
 * Keeps calls about one name in the order in which they were made, where a session does not do so by itself, and
 * behind a removal that has to be repeated: a request must not queue behind its own manager's orphan.
 */
export class Lanes {
  readonly #tails = new Map<string, Promise<unknown>>()

  /** Starts a call at once if nothing of these names is under way; otherwise when that has settled. */
  enter<T>(names: readonly string[], call: () => Promise<T>): Promise<T> {
    if (this.#tails.size === 0) return call()
    const ahead = names.flatMap((name) => this.#tails.get(name) ?? [])
    return ahead.length === 0 ? call() : Promise.allSettled(ahead).then(call)
  }

  /** Makes later calls about these names wait for a promise. */
  occupy(names: readonly string[], until: Promise<unknown>): void {
    for (const name of names) {
      const tail = Promise.allSettled([this.#tails.get(name), until])
      this.#tails.set(name, tail)
      void tail.then(() => {
        if (this.#tails.get(name) === tail) this.#tails.delete(name)
      })
    }
  }

  /** Settles when everything that is under way now has settled. */
  async idle(): Promise<void> {
    if (this.#tails.size > 0) await Promise.allSettled(this.#tails.values())
  }
}
