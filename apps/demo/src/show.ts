import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { judge, play, type Played, type Props } from './play.ts'
import { paintVerdict, table, type Column } from './table.ts'
import { ms, number } from './text.ts'

const columns: readonly Column[] = [
  { title: 'act', align: 'left' },
  { title: 'processes', align: 'right' },
  { title: 'sales', align: 'right' },
  { title: 'taken', align: 'right' },
  { title: 'sold twice', align: 'right' },
  { title: 'takeover', align: 'right' },
  { title: 'verdict', align: 'left' },
]

/** Plays all acts on one backend and prints the table, an act a row; whether all went as they must. */
export async function show(props: Props): Promise<boolean> {
  const { progress } = props
  const started = performance.now()
  const played = await play(props)
  for (const line of table(columns, played.map(rowOf), paintVerdict)) progress.say(line)
  progress.say()
  progress.say('taken: units by which the stock fell. Acts 1 and 5 must do harm, the rest none.')
  const good = judge(played, progress)
  const seconds = ((performance.now() - started) / 1_000).toFixed(1)
  const failed = played.filter(({ faults }) => faults.length > 0).length
  const all = `All ${played.length} acts went as they must, in ${seconds} s.`
  progress.say(good ? all : `${failed} of ${played.length} acts did not go as they must.`)
  return good
}

/** The default: an SQLite file. A URL's path is percent-encoded. */
export function sqliteIn(folder: string): string {
  return `sqlite:${pathToFileURL(join(folder, 'locks.db')).pathname}`
}

function rowOf({ act, processes, audit, course, faults }: Played, at: number): string[] {
  const verdict = faults.length > 0 ? 'FAILED' : act.harm ? 'harm, expected' : 'ok'
  const counts = [processes, audit.sales, audit.taken, audit.soldTwice].map(number)
  const took = course.takeover === undefined ? '' : ms(course.takeover)
  return [`${at + 1} ${act.name}`, ...counts, took, verdict]
}
