import { backendNames, type BackendName, type WorkloadName } from './names.ts'
import type { Row, Table } from './result.ts'
import type { Spread } from './spread.ts'
import { localName, oursName } from './subjects/ours.ts'
import { caseOf, growthCase } from './workloads/handoff.ts'

/** What a run is held to. */
interface Target {
  readonly claim: string
  readonly backend: BackendName
  readonly most?: number
  readonly least?: number
  /** As it was measured; undefined where it was not. */
  readonly measure: (tables: readonly Table[]) => Measured | undefined
}

type Measured = Pick<Spread, 'median'> & Partial<Spread> & { readonly where?: string }

export interface Verdict {
  readonly claim: string
  readonly backend: BackendName
  readonly bound: string
  readonly measured: Measured | undefined
  readonly kept: boolean | undefined
}

/** Where nothing is `bound`, what was measured is told, and not judged. */
export function judge(tables: readonly Table[], { bound = true } = {}): readonly Verdict[] {
  return targets.map(({ claim, backend, most, least, measure }) => {
    const measured = measure(tables)
    const kept = measured && measured.median <= (most ?? Infinity) && measured.median >= (least ?? -Infinity)
    return { claim, backend, bound: boundOf(most, least), measured, kept: bound ? kept : undefined }
  })
}

function boundOf(most: number | undefined, least: number | undefined): string {
  if (most === least) return `exactly ${most}`
  return most === undefined ? `≥ ${least}` : `≤ ${most}`
}

const servers = ['redis', 'etcd', 'zookeeper', 'postgres'] as const

function rowOf(
  tables: readonly Table[],
  backend: BackendName,
  workload: WorkloadName,
  name: string,
  subject = oursName,
): Row | undefined {
  const table = tables.find((each) => each.backend === backend && each.workload === workload && each.case === name)
  return table?.rows.find((row) => row.subject === subject)
}

function ratioOf(claim: string, backend: BackendName, workload: WorkloadName, name: string, most: number): Target {
  return { claim, backend, most, measure: (tables) => rowOf(tables, backend, workload, name)?.ratio }
}

function factOf(claim: string, backend: BackendName, at: Fact, bound: Pick<Target, 'most' | 'least'>): Target {
  const measure: Target['measure'] = (tables) => {
    const median = rowOf(tables, backend, at.workload, at.case)?.facts?.[at.fact]
    return median === undefined ? undefined : { median }
  }
  return { claim, backend, ...bound, measure }
}

interface Fact {
  readonly workload: WorkloadName
  readonly case: string
  readonly fact: string
}

const one = 'one at a time'
const floors = { redis: 1.1, etcd: 1.1, zookeeper: 1.15, postgres: 1.2 } as const
const heldCase = '10,000 locks held'
const occupied = {
  redis: ['connections', 2],
  etcd: ['leases', 1],
  zookeeper: ['sessions', 1],
  postgres: ['connections', 2],
} as const

const uncontended = [
  ...servers.map((backend) =>
    ratioOf('acquire + release of a free lock, in raw floors', backend, 'uncontended', one, floors[backend]),
  ),
  ratioOf("acquire + release of a free lock, in async-mutex's", 'memory', 'uncontended', one, 1.5),
]

const roundTrips = servers.flatMap((backend) =>
  ['acquire', 'release'].map((verb) => {
    const fact: Fact = { workload: 'slow-network', case: '5 ms each way', fact: `round trips to ${verb}` }
    return factOf(`round trips to ${verb}, counted at the proxy`, backend, fact, { most: 1, least: 1 })
  }),
)

const throughput = servers.map((backend): Target => {
  const measure: Target['measure'] = (tables) => {
    const ratio = rowOf(tables, backend, 'many-names', '64 names at once')?.ratio
    return ratio && { median: 1 / ratio.median, p10: 1 / ratio.p90, p90: 1 / ratio.p10, rounds: ratio.rounds }
  }
  const least = backend === 'postgres' ? 1 : 0.9
  return { claim: '64 names at once: throughput, in the raw driver’s with its own pipelining', backend, least, measure }
})

const handoffs = servers.flatMap((backend) => [
  ratioOf(
    'handoff, 100 waiters in 4 processes, in words from process to process',
    backend,
    'handoff',
    caseOf(100, 4),
    1.5,
  ),
  ratioOf('growth of a handoff from 100 to 1,000 waiters in 4 processes', backend, 'handoff', growthCase(4), 1.2),
])

const local = servers.map((backend): Target => ({
  claim: "handover: 'local', 100 waiters of one process: times as fast as through the store",
  backend,
  least: 5,
  measure: (tables) => rowOf(tables, backend, 'handoff', caseOf(100, 1), localName)?.ours,
}))

/** Peers that look again and again while they wait, each by how much it is slower. */
const polling = (
  [
    ['redis', ['redlock', 'redis-semaphore', 'redlock-universal', '@verrou/core']],
    ['sqlite', ['proper-lockfile']],
  ] as const
).flatMap(([backend, peers]) =>
  peers.map((peer): Target => ({
    claim: `handoff, 100 waiters of one process: times as fast as ${peer}, which polls`,
    backend,
    least: 10,
    measure(tables) {
      const ours = rowOf(tables, backend, 'handoff', caseOf(100, 1), peer)?.ours
      return ours && { median: 1 / ours.median, p10: 1 / ours.p90, p90: 1 / ours.p10, rounds: ours.rounds }
    },
  })),
)

const raced: readonly WorkloadName[] = [
  'uncontended',
  'many-names',
  'try-held',
  'slow-network',
  'handoff',
  'readers',
  'semaphore',
]

const fastest = backendNames.flatMap((backend) =>
  raced.map((workload): Target => ({
    claim: `${workload}: cost in that of the fastest peer, where that is worst`,
    backend,
    most: 1,
    measure: (tables) =>
      tables
        .filter((table) => table.backend === backend && table.workload === workload)
        .flatMap((table) => table.rows.map((row) => ({ table, row })))
        .flatMap(({ table, row }) =>
          row.kind === 'peer' && row.ours ? [{ ...row.ours, where: `${row.subject}, ${table.case}` }] : [],
        )
        .toSorted((a, b) => b.median - a.median)[0],
  })),
)

const holding = servers.flatMap((backend) => {
  const at = (fact: string): Fact => ({ workload: 'held', case: heldCase, fact })
  const [what, most] = occupied[backend]
  return [
    factOf('10,000 held locks: round trips a renewal cycle', backend, at('round trips a renewal cycle'), { most: 20 }),
    factOf('10,000 held locks: % of a core', backend, at('% of a core'), { most: 3 }),
    factOf(`10,000 held locks: ${what}`, backend, at(what), { most }),
    factOf('10,000 held locks: bytes of heap each', backend, at('bytes a lock'), { most: 2_000 }),
  ]
})

const targets: readonly Target[] = [
  ...uncontended,
  ...roundTrips,
  ...throughput,
  ...handoffs,
  ...local,
  ...polling,
  ...holding,
  ...fastest,
]
