import { patienceFor } from './attempts.ts'
import { elapsed, type Clock, type Instant, type Timer } from './clock.ts'
import type { Proof } from './contract.ts'
import { LockError } from './errors.ts'
import { attempt } from './lanes.ts'

export interface HeartbeatOptions {
  readonly clock: Clock
  /** Milliseconds, as the store granted them. */
  readonly ttl: number
  /** Milliseconds between two beats. */
  readonly period: number
  /** Asks the store for a proof of the whole session; `sent` is the moment before. Rejects if there is none. */
  beat(sent: Instant): Promise<Proof>
  /** The newest proof has become as old as its ttl. Told once, and nothing after it. */
  died(): void
}

/**
 * Keeps a session alive that is one lease for all its entries, from its opening to its end and whether it has entries or
 * not: whoever is granted something after an hour of silence has a proof at hand that is no older than a beat.
 */
export class Heartbeat {
  readonly #options: HeartbeatOptions
  #proof: Proof
  #last: { readonly sent: Instant; readonly answer: Promise<Proof> } | undefined
  #timer: Timer | undefined
  #ended = false

  /** `opened` is what the opening of the session has proved. */
  constructor(options: HeartbeatOptions, opened: Proof) {
    this.#options = options
    this.#proof = opened
    this.#arm(options.period)
  }

  /** The newest. */
  get proof(): Proof {
    return this.#proof
  }

  /** A proof that came with the answer to something else. */
  note(proof: Proof): void {
    if (!this.#ended && proof.sent.mono > this.#proof.sent.mono) this.#proof = proof
  }

  /** What a beat proves that leaves now, or has only just left. */
  renewed(): Promise<Proof> {
    if (this.#ended) return Promise.reject(new LockError('UNAVAILABLE', 'the session is over'))
    const now = this.#options.clock.now()
    const { ttl } = this.#options
    return this.#last && elapsed(this.#last.sent, now) < ttl / 12 ? this.#last.answer : this.#beat(now)
  }

  end(): void {
    this.#ended = true
    this.#timer?.cancel()
  }

  #beat(sent: Instant): Promise<Proof> {
    const { ttl, period } = this.#options
    const answer = attempt(() => this.#options.beat(sent))
    this.#last = { sent, answer }
    // An answer may be lost, or come when the next beat has long been answered.
    this.#arm(Math.min(period, patienceFor(ttl)))
    answer.then(
      (proof) => {
        this.note(proof)
        if (this.#last?.answer === answer) this.#arm(period - elapsed(sent, this.#options.clock.now()))
      },
      () => {
        if (this.#last?.answer === answer) this.#arm(ttl / 12)
      },
    )
    return answer
  }

  #arm(ms: number): void {
    if (this.#ended) return
    this.#timer?.cancel()
    const left = this.#left(this.#options.clock.now())
    this.#timer = this.#options.clock.after(Math.max(1, Math.min(ms, left)), () => this.#due())
  }

  #due(): void {
    const now = this.#options.clock.now()
    if (this.#left(now) > 0) {
      this.#beat(now).catch(() => {})
    } else {
      this.end()
      this.#options.died()
    }
  }

  #left(now: Instant): number {
    return this.#proof.ttl - elapsed(this.#proof.sent, now)
  }
}
