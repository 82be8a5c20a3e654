import { only, type Acquire, type History, type Sighting } from './history.ts'
import { writesTo } from './lost-updates.ts'
import { Findings, type Verdict } from './verdict.ts'

/**
 * What is said to have failed was not applied. A write that failed is not there at the end; and nobody is seen to hold a
 * name whose every call for it had failed, except for `grace` ms after a wait that was given up: a grant that comes
 * at that moment is given back, and until the store confirms that it is there.
 */
export function outcomes(history: History, { grace }: { readonly grace: number }): Verdict {
  const findings = new Findings('failed but applied')
  for (const final of only(history, 'final')) {
    const there = new Set(final.elements)
    for (const { id, element = '', outcome, invoked } of writesTo(history, final)) {
      if (outcome !== 'failed') continue
      findings.checked++
      if (!there.has(element)) continue
      findings.add({
        message: `${element} is there, and its write failed`,
        at: invoked,
        name: final.resource,
        records: [id],
      })
    }
  }
  const calls = Map.groupBy(only(history, 'acquire'), ({ client, name }) => JSON.stringify([client, name]))
  for (const query of only(history, 'query').filter(({ outcome }) => outcome === 'ok')) {
    for (const holder of query.held) {
      const own = calls.get(JSON.stringify([holder.client, holder.name]))
      // Whoever is not recorded cannot be judged.
      if (!own) continue
      findings.checked++
      if (own.some((call) => explains(call, holder.token, query, grace))) continue
      const { client, name, token } = holder
      const message = `${client} holds it with token ${token}, which none of its calls was granted`
      findings.add({ message, at: query.invoked, name, records: [query.id] })
    }
  }
  return findings.verdict()
}

function explains(call: Acquire, token: string | undefined, query: Sighting, grace: number): boolean {
  if (call.invoked > (query.completed ?? query.invoked)) return false
  // While it is pending it may be granted, and granted anew if that comes too late to be of use.
  if (call.outcome === 'unknown' || call.completed === null || call.completed > query.invoked) return true
  if (call.outcome === 'ok') return call.token === token || token === undefined
  const givenUp = call.why === 'TIMEOUT' || call.why === 'aborted'
  return givenUp && call.wait && query.invoked - call.completed <= grace
}
