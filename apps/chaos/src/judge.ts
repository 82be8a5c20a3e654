import {
  arrivalOrder,
  deadlines,
  faultWithin,
  fencedRegister,
  handovers,
  leaders,
  liveness,
  lostUpdates,
  outcomes,
  overlap,
  refusals,
  residue,
  success,
  tokenOrder,
  type Handovers,
  type Success,
  type Verdict,
} from '@locks/core/conformance'
import { grantedInOutages } from './outages.ts'
import type { Campaign, Mode } from './campaign.ts'
import type { Store } from './stores/store.ts'
import type { FaultRecord } from './records.ts'
import type { TimedSeries } from './work/port.ts'

export interface Judgement {
  readonly verdicts: readonly Verdict[]
  /** Without the token checked updates may be lost: it shows that the workload can do harm. */
  readonly unchecked: Verdict
  readonly handovers: Handovers
  /** By the fault that was in force; `none`. */
  readonly chances: ReadonlyMap<string, Success>
  readonly violations: number
}

export function judge(campaign: Campaign, mode: Mode, { ttl, sessions = false }: Store): Judgement {
  const { ledger, capabilities, left, ended } = campaign
  const history = ledger.records
  // Lost news of a grant costs until the next renewal; the rest is for a busy machine.
  const times = handovers(history, {
    released: ttl / 3 + 500,
    died: ttl + capabilities.takeover + 500,
    slack: ttl + capabilities.takeover,
  })
  // Until the store has confirmed that what nobody wants is gone, or has ended the session.
  const grace = 3 * ttl + 3_000
  const verdicts = [
    tokenOrder(history, { slack: ttl }),
    fencedRegister(history),
    lostUpdates(history, { checked: true }),
    overlap(history, { slack: ttl }),
    ...(ledger.outages.length > 0 ? [grantedInOutages(history, ledger.outages)] : []),
    deadlines(history, { ttl }),
    outcomes(history, { grace }),
    refusals(history, { grace, sessions }),
    ...(capabilities.elections ? [leaders(history)] : []),
    ...(capabilities.order === 'fifo' ? [arrivalOrder(history)] : []),
    ...(mode === 'liveness' ? [liveness(history), times.verdict] : []),
    residue(left, ended),
    health(campaign),
  ]
  return {
    verdicts,
    unchecked: lostUpdates(history, { checked: false }),
    handovers: times,
    chances: chances(ledger.series, ledger.faults),
    violations: verdicts.reduce((sum, { violations }) => sum + violations.length, 0),
  }
}

/** No client's process came upon an error that no call may end with. */
function health({ ledger }: Campaign): Verdict {
  const violations = ledger.broken.map(({ client, why, at }) => ({ message: `${client}: ${why}`, at, records: [] }))
  return { checker: 'clients in good health', checked: ledger.operations, violations, excused: [] }
}

function chances(series: readonly TimedSeries[], faults: readonly FaultRecord[]): Map<string, Success> {
  const found = new Map<string, Success>()
  for (const [kind, each] of Map.groupBy(series, (one) => classOf(one, faults))) {
    const chance = success(each)
    if (chance) found.set(kind, chance)
  }
  return new Map([...found].toSorted(([a], [b]) => (a === 'none' ? -1 : b === 'none' ? 1 : a < b ? -1 : 1)))
}

/** What was in force when the first try began. */
function classOf({ at }: TimedSeries, faults: readonly FaultRecord[]): string {
  const kinds = new Set(faults.filter((fault) => faultWithin([fault], at, at) !== undefined).map(({ kind }) => kind))
  if (kinds.size > 1) return 'several at a time'
  return [...kinds][0] ?? 'none'
}
