import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { acts } from './acts/index.ts'
import { deployments, type Deployment } from './deployments.ts'
import { judge, play, type Played, type Props } from './play.ts'
import { paintVerdict, table, type Column } from './table.ts'
import { ms, number, paint } from './text.ts'

const columns: readonly Column[] = [
  { title: 'backend', align: 'left' },
  ...acts.map(({ name }): Column => ({ title: name, align: 'right' })),
  { title: 'takeovers', align: 'right' },
  { title: 'verdict', align: 'left' },
]

/** Starts the servers of every backend in turn, plays all acts on each, and prints one table; whether all went well. */
export async function showAll({ folder, crew, progress }: Omit<Props, 'url'>): Promise<boolean> {
  const started = performance.now()
  const rows: string[][] = []
  let good = true
  for (const deployment of deployments) {
    progress.say(paint('bold', `== ${deployment.name}`))
    const own = join(folder, deployment.name)
    mkdirSync(own)
    const played = await playOn(deployment, { folder: own, crew, progress })
    const well = judge(played, progress)
    good &&= well
    rows.push(rowOf(deployment, played, well))
    progress.say()
  }
  progress.say('Units sold twice: without a lock, and without a look at the token, there must be some; else none.')
  progress.say()
  for (const line of table(columns, rows, paintVerdict)) progress.say(line)
  progress.say()
  const seconds = ((performance.now() - started) / 1_000).toFixed(1)
  progress.say(good ? `All went as it must on ${rows.length} backends, in ${seconds} s.` : 'Not all went as it must.')
  return good
}

async function playOn(deployment: Deployment, props: Omit<Props, 'url'>): Promise<Played[]> {
  const started = await deployment.start(props.folder)
  try {
    return await play({ ...props, url: started.url })
  } finally {
    await started.end()
  }
}

function rowOf({ name }: Deployment, played: readonly Played[], well: boolean): string[] {
  const takeovers = played.flatMap(({ course }) => (course.takeover === undefined ? [] : [ms(course.takeover)]))
  const soldTwice = played.map(({ audit }) => number(audit.soldTwice))
  return [name, ...soldTwice, takeovers.join(', '), well ? 'ok' : 'FAILED']
}
