import { constants } from 'node:os'

/** How a process ends: with a status, or by a signal. */
export type Ending = number | NodeJS.Signals

/** Ends this process in the same way. What is still to be written gets out before. */
export async function endAs(ending: Ending): Promise<void> {
  if (typeof ending === 'number') {
    process.exitCode = ending
    return
  }
  // Node ignores some signals; with a listener gone, the system's own action is in place again. There is none for this one.
  if (ending !== 'SIGKILL') process.on(ending, () => {}).removeAllListeners(ending)
  process.kill(process.pid, ending)
  // It arrives when it arrives. A few do not end a process, and none ends the first process of a container: as shells say it.
  await new Promise((resolve) => setTimeout(resolve, 1_000))
  process.exit(128 + constants.signals[ending])
}
