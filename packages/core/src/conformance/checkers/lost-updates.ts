import { accesses, only, type Access, type Final, type History } from './history.ts'
import { faultWithin, Findings, type Verdict } from './verdict.ts'

/**
 * Whatever a resource has confirmed to have written is there at the end, both in its set and in its count. Of the
 * resources that check tokens, or of those that do not: these are expected to lose updates where a holder may be
 * stopped, or else the run has not shown that its workload can do harm.
 */
export function lostUpdates(history: History, { checked }: { readonly checked: boolean }): Verdict {
  const findings = new Findings(checked ? 'lost updates, token checked' : 'lost updates, token not checked')
  const forgetting = only(history, 'fault').filter(({ forgets }) => forgets)
  for (const final of only(history, 'final').filter((each) => each.checked === checked)) {
    const there = new Set(final.elements)
    const writes = writesTo(history, final)
    for (const { element = '', token, id, outcome, completed, invoked } of writes) {
      if (outcome !== 'ok') continue
      findings.checked++
      if (there.has(element)) continue
      const message = `${element}, written with token ${token}, is gone`
      const excuse = faultWithin(forgetting, invoked, completed ?? invoked)
      findings.add({ message, at: completed ?? invoked, name: final.resource, records: [id] }, excuse)
    }
    if (final.count !== there.size) {
      const message = `the count is ${final.count}, and the set has ${there.size}`
      findings.add({ message, at: writes.at(-1)?.invoked ?? 0, name: final.resource, records: [] })
    }
  }
  return findings.verdict()
}

export function writesTo(history: History, final: Final): Access[] {
  return accesses(history).filter(({ action, resource }) => action === 'write' && resource === final.resource)
}
