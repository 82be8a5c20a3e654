import type { Result, Table } from '../result.ts'
import { judge } from '../targets.ts'
import { verdictCells, verdictTitles } from './lines.ts'
import { about, facts, peersThatWin, spread, workloadsOf } from './words.ts'

/** What `docs/bench.md` has between its marks. */
export function markdown({ machine, versions, subjects, tables }: Result): string {
  const { date, cores, processor, memory, system, minutes } = machine
  return [
    `Measured on ${date} in ${minutes} minutes: ${cores} cores of ${processor}, ${memory}, ${system}.`,
    '### Targets',
    tableOf(verdictTitles, verdictCells(judge(tables))),
    '### Where a peer wins',
    tableOf(['peer', 'backend', 'at', 'ours, in its cost'], peersThatWin(tables)),
    ...workloadsOf(tables).flatMap((workload) => [
      `### ${about[workload].title}`,
      about[workload].text,
      measured(tables.filter((table) => table.workload === workload)),
    ]),
    '### How everybody is set up',
    tableOf(
      ['backend', 'who', 'settings'],
      subjects.map(({ backend, name, settings }) => [backend, name, settings]),
    ),
    '### Versions',
    tableOf(['what', 'version'], Object.entries(versions)),
  ].join('\n\n')
}

function measured(tables: readonly Table[]): string {
  const titles = ['backend', 'case', 'who', 'cost', 'ratio', 'ours, in its cost', 'counted']
  const rows = tables.flatMap(({ backend, case: name, unit, base, rows: all }) =>
    all.map(({ subject, cost, ratio, ours, facts: counted, cannot }) => [
      backend,
      name,
      subject === base ? `${subject} (1)` : subject,
      cost ? `${spread({ ...cost, rounds: 1 })} ${unit}` : (cannot ?? ''),
      spread(ratio),
      spread(ours),
      facts(counted),
    ]),
  )
  return tableOf(titles, rows)
}

function tableOf(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return 'None.'
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [titles, titles.map(() => '---'), ...rows].map(line).join('\n')
}
