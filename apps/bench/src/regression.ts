import type { Row, Table } from './result.ts'
import type { Spread } from './spread.ts'

/** A ratio of ours that has become worse than the spread of both runs explains. */
export interface Regression {
  readonly what: string
  readonly before: number
  readonly after: number
  readonly allowed: number
}

/** Machines differ more than that from day to day. */
const least = 0.15

/** Ratios are compared, never times: two runs need not have been on the same machine. */
export function regressions(before: readonly Table[], after: readonly Table[]): readonly Regression[] {
  return after.flatMap((table) => {
    const known = before.find((each) => labelOf(each) === labelOf(table))
    return table.rows.flatMap((row) => {
      if (row.kind !== 'ours' || known?.base !== table.base) return []
      const old = known.rows.find(({ subject }) => subject === row.subject)
      const found = old && compare(old, row)
      return found ? [{ what: `${labelOf(table)}, ${row.subject}`, ...found }] : []
    })
  })
}

const labelOf = ({ backend, workload, case: name }: Table) => `${backend}, ${workload}, ${name}`

function compare({ ratio: old }: Row, { ratio: now }: Row): Omit<Regression, 'what'> | undefined {
  if (!old || !now) return undefined
  const allowed = old.median * (1 + Math.max(least, widthOf(old) + widthOf(now)))
  return now.median > allowed ? { before: old.median, after: now.median, allowed } : undefined
}

/** How far, in medians, most rounds were above the median. */
const widthOf = ({ median, p90 }: Spread) => (p90 - median) / median
