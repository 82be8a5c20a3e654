import type { Claim } from '@locks/core/backend'

interface Line {
  readonly claim: Claim
  /** When core has last spoken of it, `mono`. */
  spokenOf: number
  state: 'asked' | 'queued' | 'granted' | 'stolen'
}

/** Whatever the store may have of a session, and how much of that core has been told. */
export class Ledger {
  readonly #lines = new Map<string, Line>()

  asked(claim: Claim, now: number): void {
    const line = this.#lines.get(claim.id)
    if (line && line.state !== 'stolen') line.spokenOf = now
    else this.#lines.set(claim.id, { claim, spokenOf: now, state: 'asked' })
  }

  /** What core renews; the rest it has given up, and nothing keeps it at the store. */
  renewed(claims: readonly Claim[], now: number, ttl: number): void {
    for (const { id } of claims) {
      const line = this.#lines.get(id)
      if (line) line.spokenOf = now
    }
    for (const [id, { spokenOf }] of this.#lines) if (now - spokenOf > 2 * ttl) this.#lines.delete(id)
  }

  /** Unless the news of its grant was faster; whether it waits. */
  queued(claim: Claim, now: number): boolean {
    this.asked(claim, now)
    const line = this.#lines.get(claim.id) as Line
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

  /** An answer that it was granted may still be on its way, and comes too late. */
  stolen(id: string): void {
    const line = this.#lines.get(id)
    if (line) line.state = 'stolen'
  }

  wasStolen(id: string): boolean {
    return this.#lines.get(id)?.state === 'stolen'
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
