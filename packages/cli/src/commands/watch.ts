import type { Ending } from '../child/ending.ts'
import { Signals } from '../child/signals.ts'
import { print } from '../output/tell.ts'

export interface WatchOptions {
  readonly json?: boolean | undefined
  readonly watch?: boolean | undefined
  /** Milliseconds between two looks. */
  readonly interval?: number | undefined
}

/**
 * Looks again and again until a signal ends it: on a terminal the screen is rewritten, elsewhere (and as JSON, one line
 * each) what has changed is added.
 */
export async function watch(look: () => Promise<string>, { json, interval = 1_000 }: WatchOptions): Promise<Ending> {
  const stopped = Promise.withResolvers<NodeJS.Signals>()
  new Signals({ ending: stopped.resolve })
  let last: string | undefined
  for (;;) {
    const seen = await Promise.race([look(), stopped.promise.then((signal) => ({ signal }))])
    if (typeof seen !== 'string') return seen.signal
    if (process.stdout.isTTY && !json) print(`\u001B[H\u001B[2J${seen}`)
    else if (seen !== last) print(seen)
    last = seen
    await pause(interval, stopped.promise)
  }
}

async function pause(ms: number, until: Promise<unknown>): Promise<void> {
  const over = Promise.withResolvers<void>()
  const timer = setTimeout(over.resolve, ms)
  await Promise.race([over.promise, until])
  clearTimeout(timer)
}
