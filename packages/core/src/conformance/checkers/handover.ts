import { only, type Acquire, type Fault, type History, type Hold } from './history.ts'
import { faultWithin, Findings, type Verdict } from './verdict.ts'

export interface HandoverBounds {
  /** Milliseconds after a release within which the next waiter has the lock. */
  readonly released: number
  /** The same after the death of a holder. */
  readonly died: number
  /** For so long after a fault what it has left may still stand in the way: a waiter that is dead, or cut off. */
  readonly slack: number
}

export interface Handovers {
  readonly verdict: Verdict
  /** How long each took, ms, in ascending order; those during a fault are not among them. */
  readonly released: readonly number[]
  readonly died: readonly number[]
}

/**
 * How long a name that somebody waits for is nobody's: between an exclusive hold's end, by its release or its holder's
 * death, and the next waiter's grant.
 */
export function handovers(history: History, bounds: HandoverBounds): Handovers {
  const findings = new Findings('handover within its bound')
  const faults = only(history, 'fault')
  const heals = only(history, 'heal').map(({ until }) => until)
  const times = { released: [] as number[], died: [] as number[] }
  const deaths = faults.filter(({ kind }) => kind.includes('killed'))
  for (const { hold, next } of successions(history)) {
    const { end } = hold
    const from = endOf(hold, deaths)
    if (end === 'lost' || from === undefined) continue
    // Whoever came later says nothing of those who waited.
    if (!next?.completed || next.queued === undefined || next.queued > from || next.completed < from) continue
    const took = next.completed - from
    const before = hold.until - bounds.slack
    // Where everybody has been served since, nothing that a fault had left can be in the way; nearly nothing, on a busy machine.
    const healed = Math.max(before, ...heals.filter((at) => at <= hold.until))
    findings.checked++
    if (disturbance(faults, deaths, hold, next, healed) === undefined) times[end].push(took)
    if (took <= bounds[end]) continue
    const message = `${Math.round(took)} ms from ${hold.client} (${end}) to ${next.client}`
    const excuse = disturbance(faults, deaths, hold, next, before)
    findings.add({ message, at: from, name: hold.name, records: [hold.id, next.id] }, excuse)
  }
  const ascending = (list: readonly number[]) => list.toSorted((a, b) => a - b)
  return { verdict: findings.verdict(), released: ascending(times.released), died: ascending(times.died) }
}

/** Of a holder that died its last look at the lock is older than its death. */
function endOf({ end, client, until }: Hold, deaths: readonly Fault[]): number | undefined {
  return end === 'died' ? deaths.find(({ target, from }) => target === client && from >= until)?.from : until
}

/** Its own death is what is measured, and no excuse. */
function disturbance(
  faults: readonly Fault[],
  deaths: readonly Fault[],
  { client, until }: Hold,
  { completed }: Acquire,
  since: number,
): string | undefined {
  const own = deaths.filter(({ target }) => target === client)
  return faultWithin(
    faults.filter((each) => !own.includes(each)),
    since,
    completed ?? until,
  )
}

/** Each exclusive hold, with the grant that came next after it. */
function* successions(history: History): Generator<{ hold: Hold; next: Acquire | undefined }> {
  const granted = only(history, 'acquire').filter(({ outcome, mode }) => outcome === 'ok' && mode !== 'permit')
  const grants = Map.groupBy(
    granted.toSorted((a, b) => (a.completed ?? 0) - (b.completed ?? 0)),
    ({ name }) => name,
  )
  const over = only(history, 'hold').filter(({ mode }) => mode === 'exclusive')
  for (const [name, holds] of Map.groupBy(over, (each) => each.name)) {
    const following = grants.get(name) ?? []
    let at = 0
    for (const hold of holds.toSorted((a, b) => a.until - b.until)) {
      while (at < following.length && ((following[at] as Acquire).completed ?? 0) <= hold.until) at++
      yield { hold, next: following[at] }
    }
  }
}

/** How many of some durations are at most each of the bounds, and more than the one before it. */
export function histogram(durations: readonly number[], bounds: readonly number[]): number[] {
  const counts = [...bounds, Number.POSITIVE_INFINITY].map(() => 0)
  for (const each of durations) {
    const at = bounds.findIndex((bound) => each <= bound)
    counts[at < 0 ? bounds.length : at]! += 1
  }
  return counts
}
