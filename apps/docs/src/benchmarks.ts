import { read } from './files.ts'
import { figure, logarithmic, plot, type Row } from './plot.ts'

/** As far as pictures need it, what `pnpm bench:page` has kept. */
interface Bench {
  readonly tables: readonly Table[]
}

interface Table {
  readonly workload: string
  readonly backend: string
  readonly case: string
  readonly unit: string
  readonly base: string
  readonly rows: readonly Measured[]
}

interface Measured {
  readonly subject: string
  readonly kind: 'ours' | 'floor' | 'peer'
  readonly cost?: Spread
  readonly ratio?: Spread
  readonly cannot?: string
}

interface Spread {
  readonly median: number
  readonly p10?: number
  readonly p90?: number
}

/** What everybody costs at one workload, in units of one of them: on each backend. */
export function costs(title: string, workload: string, name: string): string {
  const tables = tablesOf(workload, name)
  const rows = tables.flatMap((table) => table.rows.map((row) => rowOf(row, table)))
  const scale = logarithmic(rows.flatMap(({ dot, interval }) => [dot ?? 1, ...(interval ?? [])]))
  return plot(`${title}: ${name}`, '● median, — 8 in 10 rounds; to the left is faster', { ...scale, one: 1 }, rows)
}

/** What an acquire and a release come to on each backend: one at a time, and among many that leave together. */
export function ourCosts(): string {
  const [alone, together] = [tablesOf('uncontended', 'one at a time'), tablesOf('many-names', '64 names at once')]
  const ours = ({ rows }: Table) => rows.find(({ subject }) => subject === '@locks')?.cost?.median
  const rows = alone.map((table) => {
    const other = together.find(({ backend }) => backend === table.backend)
    const [dot, bar] = [ours(table), other && ours(other)]
    if (dot === undefined || bar === undefined) throw new Error(`docs/bench.json: no cost on ${table.backend}`)
    return { label: table.backend, dot, bar, value: `${figure(dot)} | ${figure(bar)}` }
  })
  const scale = logarithmic(rows.flatMap(({ dot, bar }) => [dot, bar]))
  return plot('Acquire and release of a free lock, µs', '● one at a time, | each of 64 names at once', scale, rows)
}

function tablesOf(workload: string, name: string): readonly Table[] {
  const { tables } = JSON.parse(read('docs/bench.json')) as Bench
  const found = tables.filter((table) => table.workload === workload && table.case === name)
  if (found.length === 0) throw new Error(`docs/bench.json has nothing about ${workload}: ${name}`)
  return found
}

function rowOf({ subject, kind, ratio, cannot }: Measured, { backend, base }: Table): Row {
  const about = { label: subject, group: `${backend}: 1 is ${base}`, quiet: kind !== 'ours' }
  if (!ratio) return { ...about, why: cannot ?? 'not measured' }
  const { median, p10 = median, p90 = median } = ratio
  return { ...about, dot: median, interval: [p10, p90], value: figure(median) }
}
