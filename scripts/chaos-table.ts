// pnpm chaos:table: puts what the campaigns in .reports/chaos came to into docs/chaos.md, between its two marks.
//   FILE...   other summaries: summary.json files of runs, or of several runs together. With them, rows that are there
//             of other backends and modes stay
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import process from 'node:process'

interface Summary {
  backend: string
  mode: string
  seed: number
  seconds: number
  operations: number
  faults: Record<string, number>
  checks: { checker: string; violations: number; excused: Record<string, number> }[]
  unchecked: { writes: number; lost: number }
  chances: Record<string, Chance>
  handovers: Record<
    'released' | 'died',
    { count: number; median: number | null; p99: number | null; most: number | null }
  >
  violations: number
}

interface Chance {
  series: number
  succeeded: number
  low: number
  high: number
  down: number
  late: number
  busy: number
  predicted: number
  agrees: boolean
  because: string
}

const page = 'docs/chaos.md'
const files = process.argv.length > 2 ? process.argv.slice(2) : globSync('.reports/chaos/*/summary.json')
const runs = files
  .flatMap((file) => JSON.parse(readFileSync(file, 'utf8')) as Summary | Summary[])
  .toSorted((a, b) => order(a) - order(b) || a.seed - b.seed)

function order({ backend, mode }: Pick<Summary, 'backend' | 'mode'>): number {
  const backends = ['memory', 'sqlite', 'redis', 'quorum', 'zookeeper', 'etcd', 'postgres']
  return backends.findIndex((each) => backend.startsWith(each)) * 100 + backend.length + (mode === 'safety' ? 0 : 0.5)
}

const sum = (counts: Record<string, number>) => Object.values(counts).reduce((all, each) => all + each, 0)
const listed = (counts: Record<string, number>) =>
  Object.entries(counts)
    .map(([kind, count]) => `${count} ${kind}`)
    .join(', ')
const percent = (share: number) => `${(100 * share).toFixed(1)} %`
const rank = ([backend = '', mode = '']: string[]) => order({ backend, mode })

const [begin, end] = ['<!-- campaigns -->', '<!-- end of campaigns -->']
const text = readFileSync(page, 'utf8')
const [before = '', rest = ''] = text.split(begin)
const [present = '', after = ''] = rest.split(end)
/** The rows of each table that is there, without its titles. */
const tables = present
  .split('\n\n')
  .filter((block) => block.startsWith('|'))
  .map((block) => block.split('\n').slice(2).map(cellsOf))
const isNew = ([backend, mode]: string[]) => runs.some((run) => run.backend === backend && run.mode === mode)
let at = 0

function cellsOf(line: string): string[] {
  return line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim())
}

/** Together with what stays, in the order of the backends. */
function merged(rows: string[][]): string[][] {
  const staying = process.argv.length > 2 ? (tables[at++] ?? []).filter((row) => !isNew(row)) : []
  return [...staying, ...rows].toSorted((a, b) => rank(a) - rank(b))
}

const table = (titles: string[], rows: string[][]) =>
  [titles, titles.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')

const campaignRows = merged(
  runs.map(({ backend, mode, seed, seconds, operations, faults, violations, checks, unchecked }) => [
    ...[backend, mode, seed, seconds, operations, sum(faults), violations].map(String),
    String(checks.reduce((all, { excused }) => all + sum(excused), 0)),
    `${unchecked.lost} of ${unchecked.writes}`,
  ]),
)
const campaigns = table(
  ['backend', 'mode', 'seed', 's', 'operations', 'faults', 'violations', 'excused', 'unchecked: lost of confirmed'],
  campaignRows,
)
const excuses = table(
  ['backend', 'mode', 'seed', 'check', 'excused by'],
  merged(
    runs.flatMap(({ backend, mode, seed, checks }) =>
      checks
        .filter(({ excused }) => sum(excused) > 0)
        .map(({ checker, excused }) => [backend, mode, String(seed), checker, listed(excused)]),
    ),
  ),
)
const faults = table(
  ['backend', 'mode', 'seed', 'faults'],
  merged(runs.map((run) => [run.backend, run.mode, String(run.seed), listed(run.faults)])),
)
const handovers = table(
  ['backend', 'mode', 'seed', 'after', 'cases', 'median, ms', 'p99', 'most'],
  merged(
    runs.flatMap(({ backend, mode, seed, handovers: all }) =>
      (['released', 'died'] as const).map((how) => {
        const { count, median, p99, most } = all[how]
        const label = how === 'released' ? 'a release' : 'a death'
        return [backend, mode, seed, label, count, median ?? '', p99 ?? '', most ?? ''].map(String)
      }),
    ),
  ),
)
const chances = table(
  ['backend', 'mode', 'fault', 'series', 'succeeded', '95 %', 'predicted', 'down, late, busy', 'if they disagree'],
  merged(
    runs.flatMap(({ backend, mode, chances: all }) =>
      Object.entries(all).map(([kind, each]) => [
        backend,
        mode,
        kind,
        String(each.series),
        percent(each.succeeded / each.series),
        `${percent(each.low)} to ${percent(each.high)}`,
        percent(each.predicted),
        [each.down, each.late, each.busy].map(percent).join(', '),
        each.because,
      ]),
    ),
  ),
)

const seconds = (rows: string[][]) => rows.reduce((all, [, , , each]) => all + Number(each), 0)
const minutes = (seconds(campaignRows) / 60).toFixed(0)
const safety = (seconds(campaignRows.filter(([, mode]) => mode === 'safety')) / 60).toFixed(0)
const body = [
  `${campaignRows.length} runs, ${minutes} minutes in total, ${safety} of them in safety mode.`,
  campaigns,
  '### What was excused, and by what',
  excuses,
  '### Faults',
  faults,
  '### From one holder to the next',
  handovers,
  '### The chance to get a lock within three tries',
  chances,
].join('\n\n')
writeFileSync(page, `${before}${begin}\n\n${body}\n\n${end}${after}`)
console.log(`${page}: ${campaignRows.length} runs, ${runs.length} of them new`)
