import { histogram, only, type Finding, type Success, type Verdict } from '@locks/core/conformance'
import type { Campaign, CampaignOptions, Mode } from '../campaign.ts'
import type { Judgement } from '../judge.ts'

/** What a run came to, as it is written to `summary.json`. */
export interface Summary {
  readonly backend: string
  readonly mode: Mode
  readonly seed: number
  readonly seconds: number
  readonly workers: number
  readonly ttl: number
  /** Acquires of all kinds, and accesses to the resources. */
  readonly operations: number
  readonly acquires: { readonly ok: number; readonly failed: number; readonly unknown: number }
  readonly faults: Readonly<Record<string, number>>
  readonly checks: readonly Check[]
  /** Confirmed updates of the resources that check no token: how many, and how many of them are gone. */
  readonly unchecked: { readonly writes: number; readonly lost: number }
  readonly handovers: { readonly released: Durations; readonly died: Durations }
  readonly chances: Readonly<Record<string, Chances>>
  readonly violations: number
  /** The command that does it again. */
  readonly replay: string
}

interface Check {
  readonly checker: string
  readonly checked: number
  readonly violations: number
  readonly excused: Readonly<Record<string, number>>
  /** The first of them. */
  readonly first: readonly Finding[]
}

interface Durations {
  readonly count: number
  readonly median: number | null
  readonly p99: number | null
  readonly most: number | null
  /** How many took at most so many ms, and longer than the column before. */
  readonly upTo: Readonly<Record<string, number>>
}

type Chances = Pick<Success, 'down' | 'late' | 'busy' | 'predicted' | 'agrees'> & {
  readonly series: number
  readonly succeeded: number
  readonly low: number
  readonly high: number
  readonly because: string
}

export function summarize(
  { store, mode, seed, ms, workers, only: kinds = [] }: CampaignOptions,
  { ledger, began, ended }: Campaign,
  judgement: Judgement,
): Summary {
  const calls = only(ledger.records, 'acquire')
  const count = (outcome: string) => calls.filter((call) => call.outcome === outcome).length
  const { unchecked, handovers, chances, verdicts, violations } = judgement
  const minutes = Number((ms / 60_000).toFixed(3))
  const options = [...kinds.map((kind) => `--only ${JSON.stringify(kind)}`), `--workers ${workers}`].join(' ')
  return {
    backend: store.name,
    mode,
    seed,
    seconds: Math.round((ended - began) / 1_000),
    workers,
    ttl: store.ttl,
    operations: ledger.operations,
    acquires: { ok: count('ok'), failed: count('failed'), unknown: count('unknown') },
    faults: counted(ledger.faults.map(({ kind }) => kind)),
    checks: verdicts.map(check),
    unchecked: { writes: unchecked.checked, lost: unchecked.violations.length + unchecked.excused.length },
    handovers: { released: durations(handovers.released), died: durations(handovers.died) },
    chances: Object.fromEntries([...chances].map(([kind, success]) => [kind, chancesOf(success)])),
    violations,
    replay: `pnpm chaos --backend ${store.name} --mode ${mode} --seed ${seed} --minutes ${minutes} ${options}`,
  }
}

function check({ checker, checked, violations, excused }: Verdict): Check {
  const first = violations.slice(0, 20)
  return { checker, checked, violations: violations.length, excused: counted(excused.map(({ by }) => by)), first }
}

const bounds = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000]

function durations(ascending: readonly number[]): Durations {
  const at = (share: number) => ascending[Math.min(ascending.length - 1, Math.floor(ascending.length * share))]
  const rounded = (ms: number | undefined) => (ms === undefined ? null : Number(ms.toFixed(1)))
  const counts = histogram(ascending, bounds)
  return {
    count: ascending.length,
    median: rounded(at(0.5)),
    p99: rounded(at(0.99)),
    most: rounded(ascending.at(-1)),
    upTo: Object.fromEntries([...bounds, 'more'].map((bound, index) => [`${bound}`, counts[index] ?? 0])),
  }
}

function chancesOf(success: Success): Chances {
  const { measured, interval, down, late, busy, predicted, agrees } = success
  const round = (share: number) => Number(share.toFixed(4))
  return {
    series: measured.of,
    succeeded: measured.hits,
    low: round(interval.low),
    high: round(interval.high),
    down: round(down),
    late: round(late),
    busy: round(busy),
    predicted: round(predicted),
    agrees,
    because: agrees ? '' : explanation(success),
  }
}

/** Why tries are not independent, by the direction in which they differ from it. */
function explanation({ interval, predicted, down, late, busy }: Success): string {
  const main = busy >= down + late ? 'the name stays busy' : 'the fault lasts'
  return predicted > interval.high
    ? `${main} longer than a series of tries, so that if one fails the next ones do`
    : 'what made the first try fail is over more often than not when the next one begins'
}

function counted(list: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const each of list.toSorted()) counts[each] = (counts[each] ?? 0) + 1
  return counts
}
