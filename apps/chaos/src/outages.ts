import { tokenSpacing } from '@locks/core/backend'
import { only, type Acquire, type History, type Verdict } from '@locks/core/conformance'

/** A time in which too little of the store could be reached, by anybody, for anything to be granted. */
export interface Outage {
  readonly kind: string
  readonly from: number
  readonly until: number
}

/** Nothing is granted by less than the store needs: of the calls that begin in an outage none succeeds before its
 * end, but for those that are handed what their own manager was granted. */
export function grantedInOutages(history: History, outages: readonly Outage[]): Verdict {
  const calls = only(history, 'acquire')
  const begun = outages.flatMap((outage) =>
    calls.filter(({ invoked }) => invoked > outage.from && invoked < outage.until).map((call) => ({ call, outage })),
  )
  const violations = begun
    .filter(({ call, outage }) => call.outcome === 'ok' && (call.completed ?? Infinity) < outage.until)
    .filter(({ call, outage }) => !calls.some((each) => each.invoked < outage.from && isHandedOn(each, call)))
    .map(({ call: { client, id, name, invoked }, outage: { kind } }) => {
      return { message: `${client} was granted it in spite of: ${kind}`, at: invoked, name, records: [id] }
    })
  return { checker: 'granted in an outage', checked: begun.length, violations, excused: [] }
}

/** Whether the one has the lock after the other, by the same grant. */
function isHandedOn(before: Acquire, after: Acquire): boolean {
  if (!after.inLine || before.client !== after.client || before.name !== after.name) return false
  const turns = BigInt(after.token ?? 0) - BigInt(before.token ?? 0)
  return turns > 0n && turns < BigInt(tokenSpacing)
}
