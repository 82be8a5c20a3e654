import { entrants, tableOf, ttl, type Bench, type Entrants, type Workload } from '../bench.ts'
import { Crowd } from '../crowd/crowd.ts'
import type { Row, Table } from '../result.ts'
import { interleave, type Samples } from '../rounds.ts'
import { ratiosOf, spreadOf, type Values } from '../spread.ts'
import type { Subject } from '../subjects/subject.ts'

const few = 100
const many = 1_000
const crowds = [1, few, many]

/** A crowd has so long, ms, for a round; of those that take longer, only the beginning is measured. */
const patience = 5_000
/** Of a single waiter, so many rounds are one. */
const repeats = 20

/** Backends whose raw driver can tell another process something. */
const relayed: readonly string[] = ['redis', 'etcd', 'zookeeper', 'postgres']

/** From one holder's release to the next one's having the lock. */
export const handoff: Workload = {
  name: 'handoff',
  async measure(bench) {
    const tables: Table[] = []
    for (const processes of [1, 4]) tables.push(...(await among(bench, processes)))
    return tables
  },
}

async function among(bench: Bench, processes: number): Promise<Table[]> {
  const enter = (waiters: number) => entrants(bench, needsOf(waiters, processes), { handoff: true })
  const { able } = enter(1)
  if (able.length === 0) return []
  // A raw driver does not wait; what it does in place of it is to tell the next one.
  const relays = bench.subjects.filter(({ kind }) => kind === 'floor' && relayed.includes(bench.backend))
  const started = new Map([...able, ...relays].map((subject) => [subject, crowdOf(bench, subject, processes)]))
  const tables: Table[] = []
  const samples = new Map<number, Samples>()
  for (const waiters of crowds) {
    const entered = enter(waiters)
    const all = { able: [...entered.able, ...relays], unable: entered.unable }
    const found = await measureCrowd(bench, started, all, waiters)
    samples.set(waiters, found)
    const about = { workload: 'handoff', case: caseOf(waiters, processes), unit: 'ms' } as const
    tables.push(tableOf(bench, about, all, found))
  }
  await Promise.all([...started.values()].map((crowd) => crowd.end()))
  return [...tables, growth(bench, processes, samples)]
}

function needsOf(waiters: number, processes: number) {
  const alone = processes === 1 ? [] : (['processes'] as const)
  return ['wait', ...alone, ...(waiters > few ? (['crowd'] as const) : [])] as const
}

function measureCrowd(
  { sizes }: Bench,
  started: ReadonlyMap<Subject, Crowd>,
  { able }: Entrants,
  waiters: number,
): Promise<Samples> {
  const count = sizes.count(waiters)
  const times = waiters === 1 && !sizes.quick ? repeats : 1
  const contestants = able.map((subject) => ({
    name: subject.name,
    async once() {
      const crowd = started.get(subject) as Crowd
      let sum = 0
      for (let time = 0; time < times; time++) {
        sum += await (subject.kind === 'floor' ? crowd.relay(count, patience) : crowd.handOver(count, patience))
      }
      return sum / times
    },
  }))
  return interleave(contestants, sizes.pace(12, 9))
}

function crowdOf({ backend, store, sizes }: Bench, { name }: Subject, processes: number): Crowd {
  return new Crowd({ backend, subject: name, url: store.url, ttl }, sizes.quick ? Math.min(2, processes) : processes)
}

export function caseOf(waiters: number, processes: number): string {
  return `${waiters === 1 ? '1 waiter' : `${waiters.toLocaleString('en')} waiters`} in ${where(processes)}`
}

export function growthCase(processes: number): string {
  return `from ${few} to ${many.toLocaleString('en')} waiters in ${where(processes)}`
}

const where = (processes: number) => (processes === 1 ? 'one process' : `${processes} processes`)

/** What a handoff among many costs in units of one among few, of the same subject. */
function growth({ backend, subjects }: Bench, processes: number, samples: ReadonlyMap<number, Samples>): Table {
  const valuesOf = (waiters: number, name: string): Values => samples.get(waiters)?.values.get(name) ?? []
  const rows = subjects.flatMap(({ name, kind }): Row[] => {
    // Their rounds were not the same ones: the middle of the few is the measure.
    const middle = spreadOf(valuesOf(few, name))?.median
    const large = valuesOf(many, name)
    const ratio = spreadOf(
      ratiosOf(
        large,
        large.map(() => middle),
      ),
    )
    return ratio && kind !== 'floor' ? [{ subject: name, kind, ratio }] : []
  })
  return { workload: 'handoff', backend, case: growthCase(processes), unit: '', base: `itself with ${few}`, rows }
}
