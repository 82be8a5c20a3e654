import type { Held } from '../store/acquire.ts'
import { Child } from './child.ts'
import { Deadline, type Stopping } from './deadline.ts'
import type { Ending } from './ending.ts'
import type { Signals } from './signals.ts'

/** How it went: with what the command ended, and whether it had the lock up to then. */
export interface Outcome {
  readonly ending: Ending
  readonly lost: boolean
  /** The signal by which it was asked to end for good, if it was. */
  readonly asked: NodeJS.Signals | undefined
}

/** Runs a command while its lock is held; the lock is given back when it returns. */
export async function runUnder(
  held: Held,
  command: readonly string[],
  stopping: Stopping,
  signals: Signals,
): Promise<Outcome> {
  const asked: NodeJS.Signals[] = []
  signals.to({ ending: (signal) => asked.push(signal) })
  try {
    const child = await Child.start(command, environment(held), () => held.holding.held)
    const deadline = new Deadline(held.holding, child, stopping)
    signals.to({
      ending(signal) {
        asked.push(signal)
        child.kill(signal)
      },
      resized: () => child.kill('SIGWINCH'),
      stopping: () => child.kill('SIGSTOP'),
      woken() {
        // First of all: others may have the lock by now.
        deadline.check()
        child.kill('SIGCONT')
      },
    })
    for (const signal of asked) child.kill(signal)
    const ending = await child.ended.finally(() => deadline.end())
    signals.to({ ending: (signal) => asked.push(signal) })
    const lost = deadline.struck || !held.holding.held
    return { ending, lost: (await held.holding.release()) === 'lost' || lost, asked: asked.find(endsForGood) }
  } finally {
    await held.holding.release()
  }
}

/** Others may mean something else to a command, such as to read its configuration again. */
const endsForGood = (signal: NodeJS.Signals): boolean => ['SIGINT', 'SIGTERM', 'SIGQUIT'].includes(signal)

/** Of several locks one a line, in the order of their names in the command line. */
function environment({ names, tokens, owner }: Held): NodeJS.ProcessEnv {
  const { LOCKS_TOKEN: _, ...inherited } = process.env
  return {
    ...inherited,
    LOCKS_NAME: names.join('\n'),
    ...(tokens && { LOCKS_TOKEN: tokens.join('\n') }),
    LOCKS_OWNER: owner,
  }
}
