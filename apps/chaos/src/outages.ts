import { only, type History, type Verdict } from '@locks/core/conformance'

/** A time in which too little of the store could be reached, by anybody, for anything to be granted. */
export interface Outage {
  readonly kind: string
  readonly from: number
  readonly until: number
}

/** Nothing is granted by less than the store needs: of the calls that begin in an outage none succeeds before its end. */
export function grantedInOutages(history: History, outages: readonly Outage[]): Verdict {
  const calls = only(history, 'acquire')
  const begun = outages.flatMap((outage) =>
    calls.filter(({ invoked }) => invoked > outage.from && invoked < outage.until).map((call) => ({ call, outage })),
  )
  const violations = begun
    .filter(({ call, outage }) => call.outcome === 'ok' && (call.completed ?? Infinity) < outage.until)
    .map(({ call: { client, id, name, invoked }, outage: { kind } }) => {
      return { message: `${client} was granted it in spite of: ${kind}`, at: invoked, name, records: [id] }
    })
  return { checker: 'granted in an outage', checked: begun.length, violations, excused: [] }
}
