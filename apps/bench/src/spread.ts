/** What the rounds of one subject came to. */
export interface Spread {
  readonly median: number
  readonly p10: number
  readonly p90: number
  /** How many rounds it is made of. */
  readonly rounds: number
}

/** One value a round; undefined where the subject had none. */
export type Values = readonly (number | undefined)[]

export function spreadOf(values: Values): Spread | undefined {
  const sorted = values.filter((value) => value !== undefined).toSorted((a, b) => a - b)
  if (sorted.length === 0) return undefined
  const at = (share: number) => {
    const place = share * (sorted.length - 1)
    const [below, above] = [sorted[Math.floor(place)] as number, sorted[Math.ceil(place)] as number]
    return rounded(below + (above - below) * (place - Math.floor(place)))
  }
  return { median: at(0.5), p10: at(0.1), p90: at(0.9), rounds: sorted.length }
}

/** One in units of the other, round by round: whatever else the machine did in a round fell on both. */
export function ratiosOf(values: Values, base: Values): Values {
  return values.map((value, round) => {
    const other = base[round]
    return value === undefined || !other ? undefined : value / other
  })
}

/** Four digits say all that a measurement can. */
export function rounded(value: number): number {
  return Number(value.toPrecision(4))
}
