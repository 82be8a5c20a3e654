/** A share, by how many of how many. */
export interface Share {
  readonly hits: number
  readonly of: number
}

export interface Interval {
  readonly low: number
  readonly high: number
}

/** One try after another until the lock is had, at most so many: `failures` says why each failed before the end. */
export interface Series {
  readonly tries: number
  readonly failures: readonly ('down' | 'late' | 'busy')[]
  readonly succeeded: boolean
}

export interface Success {
  readonly measured: Share
  readonly interval: Interval
  /** How often a first try failed, by its reason: what a moment taken at random is like. */
  readonly down: number
  readonly late: number
  readonly busy: number
  /** What independent tries would come to. */
  readonly predicted: number
  readonly agrees: boolean
}

const z = 1.959964

/** The 95 % interval of a probability, by Wilson: right for few cases and for shares near 0 and 1 too. */
export function wilson({ hits, of }: Share): Interval {
  if (of === 0) return { low: 0, high: 1 }
  const share = hits / of
  const spread = z * Math.sqrt((share * (1 - share) + z ** 2 / (4 * of)) / of)
  const centre = share + z ** 2 / (2 * of)
  const scale = 1 + z ** 2 / of
  return { low: Math.max(0, (centre - spread) / scale), high: Math.min(1, (centre + spread) / scale) }
}

/** With `p` the chance that one try fails, `n` independent tries have one success with 1 - p^n. */
export function predicted(p: number, tries: number): number {
  return 1 - p ** tries
}

/** How often series of tries succeed, beside what independent tries would come to; undefined if there were none. */
export function success(series: readonly Series[]): Success | undefined {
  const [first] = series
  if (!first) return undefined
  const share = (why: string) => series.filter(({ failures }) => failures[0] === why).length / series.length
  const [down, late, busy] = [share('down'), share('late'), share('busy')]
  const measured = { hits: series.filter(({ succeeded }) => succeeded).length, of: series.length }
  const interval = wilson(measured)
  const expected = predicted(down + late + busy, first.tries)
  // The prediction is a sum of floating-point shares.
  const agrees = expected >= interval.low - 1e-9 && expected <= interval.high + 1e-9
  return { measured, interval, down, late, busy, predicted: expected, agrees }
}
