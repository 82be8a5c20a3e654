/** Milliseconds on the clock that all processes of the machine share (CLOCK_MONOTONIC). */
export const now = (): number => Number(process.hrtime.bigint()) / 1e6

/** From the scale of `performance.now()`, which begins with the process. */
export function fromOwnScale(at: number): number {
  return at + origin
}

const origin = now() - performance.now()
