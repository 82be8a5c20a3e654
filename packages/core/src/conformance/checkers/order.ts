import { only, type Acquire, type History } from './history.ts'
import { faultWithin, Findings, type Verdict } from './verdict.ts'

/**
 * First come, first served: who waited at the store before another even asked was granted before, by their tokens. A
 * fault while the first of them waited excuses it, for its session may have lost its place. Those who stand in line in
 * their own manager have an order among themselves, and none with others.
 */
export function arrivalOrder(history: History): Verdict {
  const findings = new Findings('first come, first served')
  const faults = only(history, 'fault')
  const granted = only(history, 'acquire').filter(
    ({ outcome, mode, steal, token }) => outcome === 'ok' && mode !== 'permit' && !steal && token !== undefined,
  )
  for (const calls of Map.groupBy(granted, queueOf).values()) {
    const asked = calls.toSorted((a, b) => a.invoked - b.invoked)
    // By when they were known to wait; of all that have passed, the one that was granted last.
    const waited = calls.filter(({ queued }) => queued !== undefined).toSorted((a, b) => queuedAt(a) - queuedAt(b))
    const last: { any?: Acquire; exclusive?: Acquire } = {}
    let next = 0
    for (const call of asked) {
      for (; waited[next] && queuedAt(waited[next] as Acquire) < call.invoked; next++) {
        const earlier = waited[next] as Acquire
        last.any = later(last.any, earlier)
        if (earlier.mode === 'exclusive') last.exclusive = later(last.exclusive, earlier)
      }
      // Readers granted together may have their tokens in any order.
      const before = call.mode === 'shared' ? last.exclusive : last.any
      if (!before) continue
      findings.checked++
      if (numberOf(before) <= numberOf(call)) continue
      const message = `${call.client} asked after ${before.client} had waited, and was granted before`
      const excuse = faultWithin(faults, before.invoked, before.completed ?? call.invoked)
      findings.add(
        { message, at: call.completed ?? call.invoked, name: call.name, records: [before.id, call.id] },
        excuse,
      )
    }
  }
  return findings.verdict()
}

const queueOf = ({ name, client, inLine }: Acquire): string => JSON.stringify(inLine ? [name, client] : [name])
const queuedAt = ({ queued }: Acquire): number => queued ?? Number.POSITIVE_INFINITY
const numberOf = ({ token }: Acquire): bigint => BigInt(token ?? 0)
const later = (a: Acquire | undefined, b: Acquire): Acquire => (a && numberOf(a) >= numberOf(b) ? a : b)
