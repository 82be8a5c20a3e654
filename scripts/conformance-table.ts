// Prints what became of each conformance case on each backend, from the reports that the tests left. A blank cell is
// a case that failed or did not run: exit 1.
import { existsSync } from 'node:fs'
import process from 'node:process'
import { cases, declaredAbsent, readReport } from '@locks/core/conformance'

const chosen = process.env.LOCKS_TEST_BACKENDS?.split(',')
const isChosen = (name: string) => !chosen || chosen.includes(name.split('-')[0] ?? '')
const backends = Object.keys(declaredAbsent).filter((name) => ['memory', 'quorum'].includes(name) || isChosen(name))
const reports = backends.map((name) => {
  const file = `.reports/conformance/${name}.jsonl`
  return existsSync(file) ? readReport(file) : new Map<string, string>()
})

const marks: Record<string, string> = { pass: 'pass', 'refused as declared': 'refused', 'out of scope': '-' }
const rows = cases.map(({ id, line }) => [
  String(line),
  id,
  ...reports.map((report) => marks[report.get(id) ?? ''] ?? ''),
])
const header = ['line', 'case', ...backends]
const widths = header.map((_, column) => Math.max(...[header, ...rows].map((row) => (row[column] ?? '').length)))
const print = (row: readonly string[]) =>
  console.log(
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd(),
  )

console.log(
  '\nConformance: the line of the contract, the case, and each backend (-: out of scope, refused: as declared)\n',
)
print(header)
print(widths.map((width) => '-'.repeat(width)))
rows.forEach(print)

const blank = rows.flat().filter((cell) => cell === '').length
const lines = new Set(cases.map(({ line }) => line))
const uncovered = Array.from({ length: 23 }, (_, at) => at + 1).filter((line) => !lines.has(line))
console.log(`\n${cases.length} cases, ${backends.length} backends, ${blank} blank cells`)
if (uncovered.length > 0) console.log(`no case for the lines ${uncovered.join(', ')} of the contract`)
process.exitCode = blank + uncovered.length === 0 ? 0 : 1
