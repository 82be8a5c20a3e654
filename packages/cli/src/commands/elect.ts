import type { Ending } from '../child/ending.ts'
import { runUnder } from '../child/hold.ts'
import { heldBy } from '../store/acquire.ts'
import { tellGranted, tellLost } from './events.ts'
import { patience, work, type WorkOptions } from './work.ts'

export interface ElectOptions extends WorkOptions {
  /** What others are told of the leader. */
  readonly value?: string | undefined
}

/** Runs a command while this process leads, again each time that it leads again, until the command ends by itself. */
export function elect(name: string, command: readonly string[], options: ElectOptions): Promise<Ending> {
  const { value } = options
  const patient = { ...options, connectTimeout: patience }
  return work(command, patient, async ({ locks, owner, stopping, signals, waitFor }) => {
    for (;;) {
      const led = await waitFor([name], async (signal) => {
        return heldBy(owner, await locks.election(name).campaign({ value, signal }))
      })
      if (typeof led === 'string') return led
      tellGranted(options, led)
      const { ending, lost, asked } = await runUnder(led, command, stopping, signals)
      if (!lost) return ending
      tellLost(options, led, ending)
      // Whoever asked the command to end does not want to see it start again.
      if (asked !== undefined) return asked
    }
  })
}
