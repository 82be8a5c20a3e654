import type { Instant } from '@locks/core/backend'

/**
 * What one connection proves of the session: the moment since which the leader is known to count the session's ttl.
 *
 * A server that is not the leader tells it only twice a tick which sessions it has heard of, and an answered write is no
 * such message. But they travel on one line, in order: when a write was carried out that left half a tick after another,
 * then the leader has been told of the session since that other one. The handshake counts by itself, for the leader is
 * asked about the session there and then, but not before a first write was carried out: a leader without followers
 * answers, too. See docs/decisions/0010-zookeeper.md.
 */
export class Touches {
  readonly #spacing: number
  readonly #writes: Instant[] = []
  #certain: Instant

  /** `spacing`: at least half a tick, ms. `handshake`: before it left. */
  constructor(spacing: number, handshake: Instant) {
    this.#spacing = spacing
    this.#certain = handshake
  }

  /** A write was carried out that left at `sent`, later than all others. Answers since when the session surely lives. */
  written(sent: Instant): Instant {
    this.#writes.push(sent)
    while (sent.mono - (this.#writes[0]?.mono ?? sent.mono) >= this.#spacing) {
      this.#certain = this.#writes.shift() ?? this.#certain
    }
    return this.#certain
  }
}
