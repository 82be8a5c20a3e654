import type { Pace } from './rounds.ts'

/** How much is done: what is measured in full, or just enough to see that everything works. */
export interface Sizes {
  readonly quick: boolean
  /** As many of something as it is called, or a few. */
  count(full: number): number
  /** Of a contest that may take so long in full. */
  pace(seconds: number, most?: number): Pace
  /** How long something goes on, ms. */
  lasting(full: number): number
}

export const fullSizes: Sizes = {
  quick: false,
  count: (full) => full,
  pace: (seconds, most = 41) => ({ seconds, most, warm: true }),
  lasting: (full) => full,
}

export const quickSizes: Sizes = {
  quick: true,
  count: (full) => Math.min(full, 4),
  pace: (seconds) => ({ seconds, most: 1, warm: false }),
  lasting: (full) => Math.min(full, 1_000),
}
