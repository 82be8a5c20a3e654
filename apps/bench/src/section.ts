/** What a lock protects: it notices who should not be there. */
export class Section {
  readonly #most: number
  #inside = 0

  constructor(most = 1) {
    this.#most = most
  }

  enter(weight = 1): void {
    this.#inside += weight
    if (this.#inside > this.#most) throw new Error('did not exclude')
  }

  leave(weight = 1): void {
    this.#inside -= weight
  }
}
