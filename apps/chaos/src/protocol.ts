/** What the campaign and its worker processes tell each other. */
import type { Acquire, Hold, Observed, Sighting } from './records.ts'
import type { Terms, Way } from './work/open.ts'
import type { Answer, TimedSeries, Wish } from './work/port.ts'
import type { Task } from './work/worker.ts'

/** A worker's first message. */
export interface Commission {
  readonly role: 'worker' | 'prober'
  readonly task: Task
  readonly way: Way
  readonly terms: Terms
}

export type Order =
  /** Answered by `ready`. */
  | { readonly is: 'start'; readonly commission: Commission }
  | { readonly is: 'go' }
  /** Answered by `idle`. */
  | { readonly is: 'settle' }
  /** Answered by `probed`. */
  | { readonly is: 'probe'; readonly timeout: number }
  | { readonly is: 'stall'; readonly ms: number }
  /** Answered by `closed`. */
  | { readonly is: 'close' }
  | { readonly is: 'answer'; readonly call: number; readonly answer: Answer }

export type Report =
  | { readonly is: 'began' | 'ended'; readonly call: Acquire }
  | { readonly is: 'holds'; readonly hold: Hold }
  | { readonly is: 'observed'; readonly change: Observed }
  | { readonly is: 'saw'; readonly sighting: Sighting }
  | { readonly is: 'tried'; readonly series: TimedSeries }
  | { readonly is: 'access'; readonly call: number; readonly wish: Wish }
  | { readonly is: 'ready' | 'idle' | 'probed' }
  /** With what is left of it in its process. */
  | { readonly is: 'closed'; readonly left: readonly string[] }
  | { readonly is: 'broke'; readonly why: string }
