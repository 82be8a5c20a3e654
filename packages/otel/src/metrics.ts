import type { Attempt, LockEvents, LossReason } from '@locks/core'
import type { Attributes, Meter } from '@opentelemetry/api'
import { errorType, metricAttributes } from './attributes.ts'
import type { Handlers } from './channels.ts'
import type { NameFor } from './config.ts'
import type { Course } from './follower.ts'
import { instrumentsOf, type Instruments } from './instruments.ts'

/** What is told of locks, as metrics. */
export class Measures {
  readonly #instruments: Instruments
  readonly #nameFor: NameFor | undefined
  readonly #rarities: Rarities

  constructor(meter: Meter, nameFor: NameFor | undefined) {
    this.#instruments = instrumentsOf(meter)
    this.#nameFor = nameFor
    this.#rarities = new Rarities(this.#instruments)
  }

  begin(attempt: Attempt): Course {
    const attributes = metricAttributes(attempt, this.#nameFor)
    this.#rarities.announce(attributes)
    return new MeasuredCourse(this.#instruments, attributes)
  }

  /** What is told of no single lock. */
  readonly handlers: Handlers = {
    'locks:renewed': ({ backend, took, error }) => {
      const failure = error && { 'error.type': error.code }
      this.#instruments.renewed.record(took / 1_000, { 'locks.backend': backend, ...failure })
    },
    'locks:session': ({ backend, state }) => {
      this.#instruments.ends.add(state === 'ended' ? 1 : 0, { 'locks.backend': backend })
    },
  }
}

const lossReasons: readonly LossReason[] = ['expired', 'stolen', 'gone', 'session', 'closed']
/** Beyond so many, whatever makes them many is the graver trouble. */
const mostAnnounced = 200

/**
 * What happens seldom is shown as zero before it happens: a store that has never seen the counter takes its first value
 * for where it began, and tells nobody of the first loss.
 */
class Rarities {
  readonly #instruments: Instruments
  readonly #announced = new Set<string>()

  constructor(instruments: Instruments) {
    this.#instruments = instruments
  }

  announce(attributes: Attributes): void {
    const key = Object.values(attributes).join('\0')
    if (this.#announced.has(key) || this.#announced.size >= mostAnnounced) return
    this.#announced.add(key)
    const { timeouts, risks, losses, handovers } = this.#instruments
    for (const counter of [timeouts, risks, handovers]) counter.add(0, attributes)
    for (const reason of lossReasons) losses.add(0, { ...attributes, 'locks.loss.reason': reason })
  }
}

/** One call for a lock, as metrics. */
class MeasuredCourse implements Course {
  readonly #instruments: Instruments
  readonly #attributes: Attributes
  #granted = false

  constructor(instruments: Instruments, attributes: Attributes) {
    this.#instruments = instruments
    this.#attributes = attributes
    instruments.waiting.add(1, this.#attributes)
  }

  queued(): void {}

  granted({ waited, turn }: LockEvents['locks:granted']): void {
    const { holding, handovers } = this.#instruments
    this.#answered(waited, { 'locks.outcome': 'granted' })
    this.#granted = true
    holding.add(1, this.#attributes)
    if (turn > 0) handovers.add(1, this.#attributes)
  }

  refused({ waited }: LockEvents['locks:refused']): void {
    this.#answered(waited, { 'locks.outcome': 'refused' })
  }

  failed({ waited, error }: LockEvents['locks:failed']): void {
    const type = errorType(error)
    this.#answered(waited, { 'locks.outcome': 'failed', 'error.type': type })
    if (type === 'TIMEOUT') this.#instruments.timeouts.add(1, this.#attributes)
  }

  atRisk(): void {
    this.#instruments.risks.add(1, this.#attributes)
  }

  released({ held }: LockEvents['locks:released']): void {
    this.#ended(held, { 'locks.outcome': 'released' })
  }

  lost({ held, reason }: LockEvents['locks:lost']): void {
    this.#ended(held, { 'locks.outcome': 'lost', 'error.type': 'LOST' })
    this.#instruments.losses.add(1, { ...this.#attributes, 'locks.loss.reason': reason })
  }

  abandoned(): void {
    const { holding, waiting } = this.#instruments
    ;(this.#granted ? holding : waiting).add(-1, this.#attributes)
  }

  #answered(waited: number, outcome: Attributes): void {
    this.#instruments.waiting.add(-1, this.#attributes)
    this.#instruments.acquired.record(waited / 1_000, { ...this.#attributes, ...outcome })
  }

  #ended(held: number, outcome: Attributes): void {
    this.#instruments.holding.add(-1, this.#attributes)
    this.#instruments.held.record(held / 1_000, { ...this.#attributes, ...outcome })
  }
}
