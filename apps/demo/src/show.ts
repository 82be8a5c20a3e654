import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { LockError, openLocks, type Capabilities } from '@locks/core'
import type { Act } from './acts/act.ts'
import { acts } from './acts/index.ts'
import type { Crew } from './crew.ts'
import type { Progress } from './progress.ts'
import { Stage, type Setting } from './stage.ts'
import { table, type Column } from './table.ts'
import { ms, number, paint } from './text.ts'
import { faultsOf } from './verdict.ts'

export interface Props {
  /** For whatever the demo writes; it is there, and the caller removes it. */
  readonly folder: string
  /** Where the locks are kept; absent: an SQLite file in the folder. */
  readonly url: string | undefined
  readonly crew: Crew
  readonly progress: Progress
}

interface Row {
  readonly cells: readonly string[]
  /** What was not as it must be. */
  readonly faults: readonly string[]
}

/** Milliseconds that no act needs, on the slowest backend. */
const patience = 60_000

const columns: readonly Column[] = [
  { title: 'act', align: 'left' },
  { title: 'processes', align: 'right' },
  { title: 'sales', align: 'right' },
  { title: 'taken', align: 'right' },
  { title: 'sold twice', align: 'right' },
  { title: 'takeover', align: 'right' },
  { title: 'verdict', align: 'left' },
]

/** Plays all acts and prints the table; whether all went as they must. */
export async function show({ folder, url = sqliteIn(folder), crew, progress }: Props): Promise<boolean> {
  const started = performance.now()
  const { ttl: limits, takeover } = await capabilitiesOf(url)
  const ttl = Math.max(2_000, limits.min)
  const locking = { url, ttl, namespace: `demo-${randomUUID()}` }
  const setting: Setting = { locking, limit: ttl + takeover, crew, progress }

  progress.say(`A stock of ${number(Stage.units)} units, and processes that sell from it.`)
  progress.say(`Locks kept by ${schemeOf(url)}, ttl ${ms(ttl)}.`)
  const rows: Row[] = []
  for (const [at, act] of acts.entries()) rows.push(await play(act, at + 1, join(folder, `act-${at + 1}`), setting))

  progress.say()
  for (const line of tableOf(rows)) progress.say(line)
  progress.say()
  progress.say('taken: units by which the stock fell. Acts 1 and 5 must do harm, the rest none.')
  for (const [at, { faults }] of rows.entries()) for (const fault of faults) progress.say(`Act ${at + 1}: ${fault}.`)
  const failed = rows.filter(({ faults }) => faults.length > 0).length
  const seconds = ((performance.now() - started) / 1_000).toFixed(1)
  const all = `All ${rows.length} acts went as they must, in ${seconds} s.`
  progress.say(failed === 0 ? all : `${failed} of ${rows.length} acts did not go as they must.`)
  return failed === 0
}

/** What the backend promises; refuses one that cannot serve this demo. */
async function capabilitiesOf(url: string): Promise<Capabilities> {
  await using locks = await openLocks(url, { require: { fencing: 'volatile' } })
  if (locks.capabilities.scope !== 'process') return locks.capabilities
  const why = `${schemeOf(url)}: covers only the process that opens it, and the demo starts many; try sqlite:path`
  throw new LockError('UNSUPPORTED', why)
}

/** A URL's path is percent-encoded. */
function sqliteIn(folder: string): string {
  return `sqlite:${pathToFileURL(join(folder, 'locks.db')).pathname}`
}

/** What may be shown of a URL: the rest can hold a password. */
function schemeOf(url: string): string {
  return url.slice(0, url.indexOf(':'))
}

async function play(act: Act, at: number, folder: string, setting: Setting): Promise<Row> {
  const { progress, crew } = setting
  progress.say()
  progress.say(paint('bold', `${at}  ${act.title}`))
  const stage = new Stage(folder, act.fenced, setting)
  const course = await Promise.race([act.play(stage), tooLong(at)])
  await crew.dismiss()
  const audit = stage.stock.audit()
  const faults = faultsOf(act, course, audit, stage.sales)
  const verdict = faults.length > 0 ? 'FAILED' : act.harm ? 'harm, expected' : 'ok'
  const counts = [stage.sellers.length, audit.sales, audit.taken, audit.soldTwice].map(number)
  const took = course.takeover === undefined ? '' : ms(course.takeover)
  return { cells: [`${at} ${act.name}`, ...counts, took, verdict], faults }
}

async function tooLong(at: number): Promise<never> {
  await delay(patience, undefined, { ref: false })
  throw new Error(`act ${at} did not end within ${ms(patience)}`)
}

function tableOf(rows: readonly Row[]): string[] {
  return table(
    columns,
    rows.map(({ cells }) => cells),
    (text, row, column) => {
      if (row < 0) return paint('bold', text)
      if (column < columns.length - 1) return text
      return paint(text === 'ok' ? 'green' : text === 'FAILED' ? 'red' : 'yellow', text)
    },
  )
}
