import type { Instant } from '@locks/core/backend'
import type { Row } from './table.ts'

const mostSightings = 4_096

/**
 * How long an entry has to live. It is over when the wall clock is past its expiry, or when this session has seen it
 * without a renewal for as long as its ttl: a wall clock that was set back would keep a dead holder's lock for ever.
 * (The monotonic clock alone will not do: it means nothing to another process.)
 */
export class Expiry {
  readonly #session: number
  /** By place, oldest first. */
  readonly #sightings = new Map<number, { readonly renewals: number; readonly mono: number }>()

  constructor(session: number) {
    this.#session = session
  }

  /** Milliseconds; zero or less when it is over. */
  left(row: Row, now: Instant): number {
    const byWall = row.expires - now.wall
    // A session's own entries are looked after by core, and renewed within transactions that may be rolled back.
    if (row.session === this.#session) return byWall
    const seen = this.#sightings.get(row.place)
    if (seen?.renewals === row.renewals) return Math.min(byWall, row.ttl - (now.mono - seen.mono))
    this.#sightings.delete(row.place)
    this.#sightings.set(row.place, { renewals: row.renewals, mono: now.mono })
    const [oldest] = this.#sightings.keys()
    if (this.#sightings.size > mostSightings && oldest !== undefined) this.#sightings.delete(oldest)
    return Math.min(byWall, row.ttl)
  }
}
