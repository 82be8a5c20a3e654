// npm test: builds, runs vitest and then node:test, prints the conformance table, ends with `N passed, N failed`.
//   --backend a,b   tests these backends only (LOCKS_TEST_BACKENDS)
//   anything else   goes on to vitest as it is; node:test runs the files whose path contains one of these words
import { existsSync, globSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { relative } from 'node:path'
import process from 'node:process'
import { stripVTControlCharacters } from 'node:util'
import { preflight } from '@locks/testkit'
import { run } from './spawn.mjs'

const source = '--conditions=@locks/source'
const reports = '.reports'
const vitestReport = `${reports}/vitest.json`
const nodeReport = `${reports}/node-test.tap`

interface Counts {
  passed: number
  failed: number
}

interface VitestReport {
  testResults: {
    name: string
    status: string
    message: string
    assertionResults: { status: string; fullName: string; failureMessages: string[] }[]
  }[]
}

const total: Counts = { passed: 0, failed: 0 }
/** Said again at the end, where a log that was cut short still has it. */
const failures: string[] = []

/** Runs one step and adds what it counted; a step that ends badly is one failure at least. */
async function step(command: string, args: string[], report?: string, count?: (report: string) => Counts) {
  const { code, received } = await run(command, args)
  if (received) process.kill(process.pid, received)
  const counts = report && count && existsSync(report) ? count(readFileSync(report, 'utf8')) : { passed: 0, failed: 0 }
  if (code !== 0 && counts.failed === 0) {
    failures.push(`${command} ${args[0]} ended with ${code} and no failed test: counted as one failure`)
    counts.failed = 1
  }
  total.passed += counts.passed
  total.failed += counts.failed
}

function countVitest(report: string): Counts {
  const counts = { passed: 0, failed: 0 }
  for (const { name, status, message, assertionResults } of (JSON.parse(report) as VitestReport).testResults) {
    const file = relative('.', name)
    const failed = assertionResults.filter((test) => test.status === 'failed')
    counts.passed += assertionResults.filter((test) => test.status === 'passed').length
    counts.failed += failed.length
    for (const { fullName, failureMessages } of failed) failures.push(`${file}: ${fullName}\n${brief(failureMessages)}`)
    // Outside of its tests, at import for instance.
    if (status === 'failed' && failed.length === 0) {
      counts.failed += 1
      failures.push(`${file}\n${brief([message])}`)
    }
  }
  return counts
}

const brief = (messages: readonly string[]) =>
  messages
    .flatMap((message) => stripVTControlCharacters(message).split('\n').slice(0, 12))
    .map((line) => `    ${line.slice(0, 200)}`)
    .join('\n')

function countNodeTest(report: string): Counts {
  const summary = (name: string) => Number(new RegExp(`^# ${name} (\\d+)$`, 'm').exec(report)?.[1] ?? 0)
  failures.push(...report.split('\n').filter((line) => /^ *not ok /.test(line)))
  return { passed: summary('pass'), failed: summary('fail') + summary('cancelled') }
}

const backends: string[] = []
const rest: string[] = []
const args = process.argv.slice(2)
for (let arg = args.shift(); arg !== undefined; arg = args.shift()) {
  if (arg === '--backend') backends.push(args.shift() ?? '')
  else if (arg.startsWith('--backend=')) backends.push(arg.slice('--backend='.length))
  else rest.push(arg)
}
if (backends.length > 0) process.env.LOCKS_TEST_BACKENDS = backends.join(',')

const missing = preflight(process.env.LOCKS_TEST_BACKENDS?.split(','))
if (missing) {
  console.error(`${missing} (or do without: npm test -- --backend sqlite)`)
  process.exit(1)
}

rmSync(reports, { recursive: true, force: true })
mkdirSync(reports)

await step('turbo', ['run', 'build', '--output-logs=new-only'])
await step(
  'vitest',
  ['run', '--passWithNoTests', '--reporter=default', '--reporter=json', `--outputFile.json=${vitestReport}`, ...rest],
  vitestReport,
  countVitest,
)
const nodeTests = globSync('packages/*/test/**/*.node-test.ts')
  .filter((file) => rest.length === 0 || rest.some((word) => file.includes(word)))
  .sort()
if (nodeTests.length > 0) {
  const reporters = [
    ['spec', 'stdout'],
    ['tap', nodeReport],
  ].flatMap(([name, to]) => [`--test-reporter=${name}`, `--test-reporter-destination=${to}`])
  await step('node', [source, '--test', '--test-concurrency=1', ...reporters, ...nodeTests], nodeReport, countNodeTest)
}
// A table of some files' cases would have gaps that mean nothing.
if (rest.length === 0) await step('node', [source, 'scripts/conformance-table.ts'])

if (total.passed + total.failed === 0) failures.push('No test ran.')
for (const failure of failures) console.log(`\nFAILED ${failure}`)
console.log(`${total.passed} passed, ${total.failed} failed`)
process.exitCode = total.passed > 0 && total.failed === 0 ? 0 : 1
