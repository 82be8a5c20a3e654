/** What `pnpm bench` starts: arguments in, exit code out, and nothing left behind but its reports. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { preflight } from '@locks/testkit'
import { packageVersions, thisMachine } from './machine.ts'
import type { BackendName } from './names.ts'
import { buildPackages, measureApart } from './processes.ts'
import { regressions } from './regression.ts'
import { html } from './report/html.ts'
import { verdictLines } from './report/lines.ts'
import type { Result, SubjectFacts, Table } from './result.ts'
import { subjectsOf } from './subjects/index.ts'
import { judge } from './targets.ts'
import { parse, usage, UsageError, type Wanted } from './usage.ts'
import { workloads } from './workloads/index.ts'

const say = (line: string) => console.log(line)

try {
  const wanted = parse(process.argv.slice(2))
  if (wanted.help) say(usage)
  else process.exitCode = await runAll(wanted)
} catch (error) {
  console.error(error instanceof UsageError ? `${error.message}\n\n${usage}` : error)
  process.exitCode = 2
}

async function runAll(wanted: Wanted): Promise<number> {
  const missing = preflight(wanted.backends)
  if (missing) throw new Error(missing)
  if (wanted.workloads.includes('start')) await buildPackages()
  const result = await measureAll(wanted)
  mkdirSync(wanted.out, { recursive: true })
  writeFileSync(join(wanted.out, 'bench.json'), `${JSON.stringify(result, null, 1)}\n`)
  writeFileSync(join(wanted.out, 'report.html'), html(result))
  for (const line of verdictLines(judge(result.tables, { bound: !result.quick }))) say(line)
  const worse = wanted.quick ? [] : compare(wanted.against, result)
  for (const { what, before, after, allowed } of worse) {
    say(`worse: ${what}: ${after} after ${before}; up to ${allowed.toFixed(3)} the spread explains`)
  }
  for (const failure of result.failures) say(`failed: ${failure}`)
  say(`see ${join(wanted.out, 'report.html')}`)
  if (result.failures.length > 0) return 2
  return worse.length > 0 ? 1 : 0
}

async function measureAll({ backends, workloads: names, quick }: Wanted): Promise<Result> {
  const started = performance.now()
  const tables: Table[] = []
  const versions: Record<string, string> = { ...packageVersions() }
  const failures: string[] = []
  const measure = (backend: BackendName, idle: boolean) => {
    const chosen = workloads.filter((each) => names.includes(each.name) && (each.idle ?? false) === idle)
    if (chosen.length === 0) return Promise.resolve()
    return measureApart({ backend, quick, workloads: chosen.map(({ name }) => name) }, (report) => {
      if (report.said === 'table') tables.push(report.table)
      else if (report.said === 'version') versions[`${report.backend} (server)`] = report.version
      else failures.push(report.failure)
    })
  }
  // Where nothing is held to a bound, they may disturb each other.
  if (quick) await Promise.all(backends.map((backend) => measure(backend, false)))
  else for (const backend of backends) await measure(backend, false)
  await Promise.all(backends.map((backend) => measure(backend, true)))
  const minutes = Math.round((performance.now() - started) / 6_000) / 10
  const order = (table: Table) =>
    workloads.findIndex(({ name }) => name === table.workload) * 100 + backends.indexOf(table.backend)
  return {
    quick,
    machine: thisMachine(minutes),
    versions,
    subjects: (await Promise.all(backends.map(subjectFacts))).flat(),
    tables: tables.toSorted((a, b) => order(a) - order(b)),
    failures: [...failures, ...tables.flatMap(incorrect)],
  }
}

async function subjectFacts(backend: BackendName): Promise<SubjectFacts[]> {
  const subjects = await subjectsOf(backend)
  return subjects.map(({ name, kind, settings, polls = false }) => ({ backend, name, kind, settings, polls }))
}

/** Nothing of ours may fail, nor a raw driver; that others do is in their tables. */
function incorrect({ backend, workload, case: name, rows }: Table): string[] {
  return rows
    .filter(({ kind, cannot, cost }) => kind !== 'peer' && cannot !== undefined && !cost)
    .map(({ subject, cannot }) => `${backend}, ${workload}, ${name}, ${subject}: ${cannot}`)
}

function compare(file: string, { tables }: Result) {
  if (!existsSync(file)) return []
  return regressions((JSON.parse(readFileSync(file, 'utf8')) as Result).tables, tables)
}
