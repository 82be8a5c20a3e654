import type { Stage } from '../stage.ts'

/** One part of the demo. */
export interface Act {
  readonly title: string
  /** What the table calls it. */
  readonly name: string
  /** Whether the stock checks fencing tokens. */
  readonly fenced: boolean
  /** Whether units must be sold twice in it; otherwise none may be. */
  readonly harm: boolean
  play(stage: Stage): Promise<Course>
}

/** How an act went, beside what the stock's ledger says. */
export interface Course {
  /** Milliseconds from the moment at which a holder ended or stopped until the next one had the lock. */
  readonly takeover?: number
  /** What was not as it must be. */
  readonly faults?: readonly string[]
}
