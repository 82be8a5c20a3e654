import { only, type Acquire, type Fault, type History, type Hold } from './history.ts'
import { faultWithin, Findings, type Verdict } from './verdict.ts'

export interface HandoverBounds {
  /** Milliseconds after a release within which the next waiter has the lock. */
  readonly released: number
  /** The same after the death of a holder. */
  readonly died: number
}

export interface Handovers {
  readonly verdict: Verdict
  /** How long each took, ms, in ascending order; those during a fault are not among them. */
  readonly released: readonly number[]
  readonly died: readonly number[]
}

/** How long a name that somebody waits for is nobody's: between an exclusive hold's end and the next waiter's grant. */
export function handovers(history: History, bounds: HandoverBounds): Handovers {
  const findings = new Findings('handover within its bound')
  const faults = only(history, 'fault')
  const times = { released: [] as number[], died: [] as number[] }
  const grants = Map.groupBy(only(history, 'acquire').filter(isGrantOfWaiter), ({ name }) => name)
  const deaths = faults.filter(({ kind }) => kind.includes('killed'))
  for (const hold of only(history, 'hold')) {
    if (hold.mode !== 'exclusive' || hold.end === 'lost') continue
    const next = (grants.get(hold.name) ?? [])
      .filter(({ queued = 0, completed }) => queued < hold.until && (completed ?? 0) > hold.until)
      .toSorted((a, b) => (a.completed ?? 0) - (b.completed ?? 0))[0]
    if (!next?.completed) continue
    const took = next.completed - hold.until
    const excuse = disturbance(faults, deaths, hold, next)
    findings.checked++
    if (excuse === undefined) times[hold.end].push(took)
    if (took <= bounds[hold.end]) continue
    const message = `${Math.round(took)} ms from ${hold.client} (${hold.end}) to ${next.client}`
    findings.add({ message, at: hold.until, name: hold.name, records: [hold.id, next.id] }, excuse)
  }
  const ascending = (list: readonly number[]) => list.toSorted((a, b) => a - b)
  return { verdict: findings.verdict(), released: ascending(times.released), died: ascending(times.died) }
}

/** Its own death is what is measured, and no excuse. */
function disturbance(
  faults: readonly Fault[],
  deaths: readonly Fault[],
  { client, until }: Hold,
  { completed }: Acquire,
): string | undefined {
  const own = deaths.filter(({ target }) => target === client)
  return faultWithin(
    faults.filter((each) => !own.includes(each)),
    until,
    completed ?? until,
  )
}

const isGrantOfWaiter = ({ outcome, mode, queued }: Acquire): boolean =>
  outcome === 'ok' && mode !== 'permit' && queued !== undefined

/** How many of some durations are at most each of the bounds, and more than the one before it. */
export function histogram(durations: readonly number[], bounds: readonly number[]): number[] {
  const counts = [...bounds, Number.POSITIVE_INFINITY].map(() => 0)
  for (const each of durations) {
    const at = bounds.findIndex((bound) => each <= bound)
    counts[at < 0 ? bounds.length : at]! += 1
  }
  return counts
}
