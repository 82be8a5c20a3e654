/**
 * `pnpm docs:backends`: what each backend promises, by its code, and how that was put to the test, by the reports that `npm
 * test` has left and by docs/chaos.md; into docs/backends.md, between its marks. With `--check`: whether that is there, which
 * needs no reports.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { read, root } from '../files.ts'
import { markdownTable, rowsOf, tablesOf, unpadded } from '../tables.ts'
import { contractOf, contractTitles, staleContract } from './contract.ts'
import { forms, type Form } from './forms.ts'

const page = 'docs/backends.md'
const present = read(page)
const checking = process.argv.includes('--check')
const yesNo = (value: boolean) => (value ? 'yes' : '–')
const name = ({ label, page: target }: Form) => `[${label}](${target})`
/** With spaces at which no line is broken. */
const time = (ms: number) => (ms >= 3_600_000 ? `${ms / 3_600_000}\u00a0h` : `${ms / 1_000}\u00a0s`)

const promises = markdownTable(
  ['backend', 'exclusion reaches', 'fencing tokens', 'order', 'several names', 'survives a blip', 'ttl', 'takeover'],
  forms.map((form) => {
    const { scope, fencing, order, sets, reconnects, ttl, takeover } = form.capabilities
    const range = `${time(ttl.min)} to\u00a0${time(ttl.max)}`
    return [name(form), scope, fencing, order, sets, yesNo(reconnects), range, `ttl\u00a0+\u00a0${time(takeover)}`]
  }),
)

const kinds = markdownTable(
  ['backend', 'exclusive', 'shared', 'semaphore', 'steal', 'elections', 'list of all names'],
  forms.map((form) => {
    const { shared, semaphore, steal, elections, listing } = form.capabilities
    return [
      name(form),
      'yes',
      yesNo(shared),
      yesNo(semaphore),
      yesNo(steal),
      yesNo(elections),
      yesNo(listing === 'complete'),
    ]
  }),
)

/** Of `1 primary killed, standby promoted, 23 theft`. */
const total = (counted = '') =>
  [...counted.matchAll(/(?:^|, )(\d+) /g)].reduce((sum, [, count]) => sum + Number(count), 0)

const campaigns = () => {
  const report = read('docs/chaos.md')
  const rows = rowsOf(report, 'backend', 'operations', 'faults', 'violations')
  const excuses = rowsOf(report, 'backend', 'check', 'excused by')
  return markdownTable(
    [
      'backend',
      'minutes',
      'operations',
      'faults',
      'violations',
      'two believed, as declared',
      'else, as declared',
      'updates lost, nobody checking tokens',
    ],
    forms.flatMap((form) => {
      const own = rows.filter(({ backend = '' }) => form.reports.includes(backend))
      if (own.length === 0) return []
      const sum = (title: string) => own.reduce((all, row) => all + Number(row[title]), 0)
      const lost = own.map((row) => (row['unchecked: lost of confirmed'] ?? '').split(' of ').map(Number))
      const [few, all] = [0, 1].map((at) => lost.reduce((count, each) => count + (each[at] ?? 0), 0))
      const excused = excuses
        .filter(({ backend = '', check }) => form.reports.includes(backend) && check === 'overlap of holds')
        .reduce((all, row) => all + total(row['excused by']), 0)
      const others = sum('excused') - excused
      const counts = [sum('operations'), sum('faults'), sum('violations'), excused, others].map(String)
      return [[name(form), (sum('s') / 60).toFixed(0), ...counts, `${few} of ${all}`]]
    }),
  )
}

const whole = checking ? undefined : contractOf(join(root, '.reports/conformance'), name)
if (whole && whole.missing.length > 0) {
  console.error(
    `${page} is left as it is: it is made of the reports of a whole npm test, and .reports/conformance has not every case of ` +
      `${whole.missing.join(', ')}. Run npm test, then pnpm docs:backends.`,
  )
  process.exit(1)
}
const parts = {
  promises,
  kinds,
  campaigns: campaigns(),
  ...(whole && { contract: markdownTable(contractTitles, whole.rows) }),
}
let text = present
const stale: string[] = []
for (const [part, table] of Object.entries(parts)) {
  const [begin, end] = [`<!-- ${part} -->`, `<!-- end of ${part} -->`]
  const [before = '', rest = ''] = text.split(begin)
  const [old = '', after = ''] = rest.split(end)
  if (unpadded(old) !== unpadded(table)) stale.push(part)
  text = `${before}${begin}\n\n${table}\n\n${end}${after}`
}

if (!checking) writeFileSync(join(root, page), text)
const untested = checking ? staleContract(tablesOf(present).flatMap((table) => table.slice(1))) : []
const problems = [
  ...(checking && stale.length > 0 ? [`out of date: ${stale.join(', ')}; run pnpm docs:backends`] : []),
  ...(untested.length > 0
    ? [`says nothing of today's cases on ${untested.join(', ')}; run npm test, then pnpm docs:backends`]
    : []),
]
for (const problem of problems) console.error(`${page}: ${problem}`)
process.exitCode = problems.length > 0 ? 1 : 0
