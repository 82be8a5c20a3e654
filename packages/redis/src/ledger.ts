import type { Claim } from '@locks/core/backend'

interface Line {
  readonly claim: Claim
  state: 'asked' | 'queued' | 'granted'
}

/** Whatever the store may have of a session, and how much of that core has been told. */
export class Ledger {
  readonly #lines = new Map<string, Line>()

  asked(claim: Claim): void {
    if (!this.#lines.has(claim.id)) this.#lines.set(claim.id, { claim, state: 'asked' })
  }

  /** Unless the news of its grant was faster; whether it waits. */
  queued(claim: Claim): boolean {
    const line = this.#lines.get(claim.id) ?? { claim, state: 'asked' }
    this.#lines.set(claim.id, line)
    if (line.state !== 'granted') line.state = 'queued'
    return line.state === 'queued'
  }

  granted(id: string): void {
    const line = this.#lines.get(id)
    if (line) line.state = 'granted'
  }

  delete(id: string): void {
    this.#lines.delete(id)
  }

  clear(): void {
    this.#lines.clear()
  }

  /** A claim of whose grant core does not know. */
  ungranted(id: string): Claim | undefined {
    const line = this.#lines.get(id)
    return line?.state === 'granted' ? undefined : line?.claim
  }

  get all(): Claim[] {
    return [...this.#lines.values()].map(({ claim }) => claim)
  }

  get waiting(): Claim[] {
    return [...this.#lines.values()].flatMap(({ claim, state }) => (state === 'queued' ? [claim] : []))
  }
}
