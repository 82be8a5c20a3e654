import type { Acquire, Hold, Mode, Observed, Series, Sighting } from '../records.ts'

/** What becomes of an access to a resource. */
export interface Answer {
  readonly accepted: boolean
  /** What was last written there; null: nothing. */
  readonly base: string | null
}

/** An access as a worker asks for it; the resource itself records what came of it. */
export interface Wish {
  readonly resource: string
  readonly checked: boolean
  readonly action: 'read' | 'write'
  readonly mode: Mode
  readonly token: string | undefined
  readonly acquire: number
  readonly invoked: number
  readonly base?: string | null
  readonly element?: string
}

export type TimedSeries = Series & { readonly client: string; readonly at: number; readonly until: number }

/** The world as a worker has it: the history, and the resources that its locks protect. */
export interface Port {
  /** A call that has begun. Recorded at once, so that it is known of if its process dies. */
  began(call: Acquire): void
  /** The same call, answered; it replaces what was recorded of it. */
  ended(call: Acquire): void
  /** A hold as it stands: recorded again whenever there is something new of it. */
  holds(hold: Hold): void
  saw(sighting: Sighting): void
  observed(change: Observed): void
  tried(series: TimedSeries): void
  access(wish: Wish): Promise<Answer>
  /** Something that must not happen: an error of a kind that no call may end with. */
  broke(why: string): void
}
