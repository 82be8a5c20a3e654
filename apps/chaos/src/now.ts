/** Milliseconds on the clock that all processes of the machine share (CLOCK_MONOTONIC). */
export const now = (): number => Number(process.hrtime.bigint()) / 1e6

/** From the scale of `performance.now()`, which begins with the process. */
export function fromOwnScale(at: number): number {
  return at + origin
}

/** Both are the same clock. Of many pairs of looks at it, the pair between which the least time has passed. */
const { origin } = Array.from({ length: 20 }, () => {
  const [before, own, after] = [now(), performance.now(), now()]
  return { origin: (before + after) / 2 - own, took: after - before }
}).toSorted((a, b) => a.took - b.took)[0] as { readonly origin: number }
