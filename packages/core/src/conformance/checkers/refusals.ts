import { only, type Acquire, type History, type Hold } from './history.ts'
import { faultWithin, Findings, type Verdict } from './verdict.ts'

export interface RefusalOptions {
  /** For so many ms whatever ended otherwise than by its own release may still be at the store. */
  readonly grace: number
  /**
   * Whether a client that loses its session may find what the former one has left in its way: then any fault excuses it,
   * and otherwise only one that breaks the store's exclusion.
   */
  readonly sessions: boolean
}

/**
 * Whoever does not want to wait is refused, and whoever does has to wait, only because of another request: one that held
 * the name, or waited for it, or may have done so. Not because of an entry of its own that it does not recognise, as when
 * an answer is lost and the call is sent again.
 */
export function refusals(history: History, { grace, sessions }: RefusalOptions): Verdict {
  const findings = new Findings('refused because of another')
  const excusing = only(history, 'fault').filter(({ breaks }) => breaks || sessions)
  const holds = new Map(only(history, 'hold').map((hold) => [hold.acquire, hold]))
  for (const [name, calls] of Map.groupBy(only(history, 'acquire'), (each) => each.name)) {
    const stays = calls
      .map((call): Stay => ({ call, until: lastPresent(call, holds.get(call.id), grace) }))
      .toSorted((a, b) => a.call.invoked - b.call.invoked)
    // The two that stay longest of all that began before: one of them is another.
    let longest: Stay[] = []
    let next = 0
    for (const { call, at } of calls.flatMap(turnedAway).toSorted((a, b) => a.at - b.at)) {
      for (; stays[next] && (stays[next] as Stay).call.invoked <= at; next++) {
        longest = [...longest, stays[next] as Stay].toSorted((a, b) => b.until - a.until).slice(0, 2)
      }
      findings.checked++
      if (longest.some((each) => each.call.id !== call.id && each.until >= call.invoked)) continue
      const what = call.why === 'refused' ? 'was refused' : 'had to wait'
      const message = `${call.client} ${what}, and nobody else had it or asked for it`
      const excuse = faultWithin(excusing, call.invoked - grace, at)
      findings.add({ message, at: call.invoked, name, records: [call.id] }, excuse)
    }
  }
  return findings.verdict()
}

interface Stay {
  readonly call: Acquire
  readonly until: number
}

/** When the store said that somebody else was there. */
function turnedAway(call: Acquire): { readonly call: Acquire; readonly at: number }[] {
  if (call.why === 'refused' && call.completed !== null) return [{ call, at: call.completed }]
  return call.queued === undefined || call.steal ? [] : [{ call, at: call.queued }]
}

/** Until when a call, or what it was granted, may have been at the store. */
function lastPresent({ completed, outcome, why }: Acquire, hold: Hold | undefined, grace: number): number {
  if (completed === null) return Number.POSITIVE_INFINITY
  if (outcome === 'failed' && why === 'refused') return completed
  if (outcome === 'ok' && hold?.released !== undefined) return hold.released
  return (hold?.until ?? completed) + grace
}
