import type { Played } from './play.ts'
import { written } from './schedule.ts'
import { simulate } from './simulate.ts'

/** What was found, for whoever has to understand it: what is broken, the shortest schedule, and what happens in it. */
export async function told(seed: number, { schedule, path, error }: Played): Promise<string | undefined> {
  if (!schedule) return undefined
  const story: string[] = []
  const again = await simulate(schedule, { story }).then(
    () => '(It does not happen again.)',
    () => '',
  )
  const command = `node --conditions=@locks/source packages/core/test/simulation/run.ts --seed ${seed} --path ${path}`
  return [error, written(schedule), ...story, again, `${command}\n`, JSON.stringify(schedule)].join('\n')
}
