import type { BackendName, WorkloadName } from './names.ts'
import type { Row, Table } from './result.ts'
import { interleave, type Contestant, type Pace, type Samples } from './rounds.ts'
import type { Sizes } from './sizes.ts'
import { ratiosOf, spreadOf, type Values } from './spread.ts'
import type { Store } from './stores.ts'
import { oursName } from './subjects/ours.ts'
import type { Locker, Need, Place, Subject } from './subjects/subject.ts'

/** What a workload has to work with: one backend, its subjects, and how much of everything. */
export interface Bench {
  readonly backend: BackendName
  readonly store: Store
  readonly subjects: readonly Subject[]
  readonly sizes: Sizes
}

export interface Workload {
  readonly name: WorkloadName
  /** Nearly all of it is waiting: backends can do it side by side. */
  readonly idle?: boolean
  /** Of these backends only. */
  readonly networkOnly?: boolean
  measure(bench: Bench): Promise<readonly Table[]>
}

export const ttl = 10_000

export interface Entrants {
  readonly able: readonly Subject[]
  /** Those who cannot, and why. */
  readonly unable: readonly Row[]
}

/** Who can do what a workload needs. Raw drivers that cannot are no news. */
export function entrants({ subjects }: Bench, needs: readonly Need[], { handoff = false } = {}): Entrants {
  const entered = subjects.filter(({ handoffOnly = false }) => handoff || !handoffOnly)
  const reasonOf = ({ cannot = {} }: Subject) =>
    needs.map((need) => cannot[need]).find((reason) => reason !== undefined)
  return {
    able: entered.filter((subject) => reasonOf(subject) === undefined),
    unable: entered.flatMap((subject) => {
      const cannot = reasonOf(subject)
      return cannot === undefined || subject.kind === 'floor'
        ? []
        : [{ subject: subject.name, kind: subject.kind, cannot }]
    }),
  }
}

export interface Contest {
  readonly workload: WorkloadName
  readonly case: string
  readonly unit: string
  readonly needs: readonly Need[]
  readonly pace: Pace
  readonly place?: Partial<Place>
  /** Gets ready, and says what one round is; a raw driver may do something else in place of waiting. */
  readonly prepare: (locker: Locker, subject: Subject) => Promise<() => Promise<number>>
}

/** Everybody who can, each with a client of its own in this process. */
export async function contest(bench: Bench, { needs, pace, place, prepare, ...about }: Contest): Promise<Table> {
  const { able, unable } = entrants(bench, needs)
  const lockers: Locker[] = []
  const contestants: Contestant[] = []
  for (const subject of able) {
    const locker = await subject.open({ url: bench.store.url, ttl, ...place })
    lockers.push(locker)
    contestants.push({ name: subject.name, once: await prepare(locker, subject) })
  }
  const samples = await interleave(contestants, pace)
  await Promise.all(lockers.map((locker) => locker.close()))
  return tableOf(bench, about, { able, unable }, samples)
}

type About = Pick<Table, 'workload' | 'case' | 'unit'>
type Facts = ReadonlyMap<string, Readonly<Record<string, number>>>

export function tableOf(
  { backend, subjects }: Bench,
  about: About,
  { able, unable }: Entrants,
  { values, failed }: Samples,
  facts: Facts = new Map(),
): Table {
  const base = baseOf(able)
  const own = values.get(oursName) ?? []
  const rows = able.map(({ name, kind }): Row => {
    const costs: Values = values.get(name) ?? []
    return {
      subject: name,
      kind,
      cost: spreadOf(costs),
      ratio: spreadOf(ratiosOf(costs, values.get(base) ?? [])),
      ours: name === oursName ? undefined : spreadOf(ratiosOf(own, costs)),
      facts: facts.get(name),
      cannot: failed.get(name),
    }
  })
  const order = (row: Row) => subjects.findIndex(({ name }) => name === row.subject)
  return { ...about, backend, base, rows: [...rows, ...unable].toSorted((a, b) => order(a) - order(b)) }
}

/** Where nothing is beneath the subjects, the plainest of them; where nobody else is there, ours. */
function baseOf(able: readonly Subject[]): string {
  const floor = able.find(({ kind }) => kind === 'floor') ?? able.find(({ name }) => name === 'async-mutex')
  return floor?.name ?? oursName
}

/** Microseconds a cycle, of rounds of as many cycles as take a while, or of a few. */
export function timed(sizes: Sizes, run: (cycles: number) => Promise<unknown>, step = 1): () => Promise<number> {
  let cycles = sizes.count(8) * step
  let calibrated = sizes.quick
  return async () => {
    for (;;) {
      const started = performance.now()
      await run(cycles)
      const took = performance.now() - started
      if (calibrated || took >= roundTime) {
        calibrated = true
        return (took * 1_000) / cycles
      }
      // No more than twice as long as it has to be.
      cycles = Math.ceil((cycles * Math.min(8, Math.max(1.5, roundTime / took))) / step) * step
    }
  }
}

const roundTime = 100
