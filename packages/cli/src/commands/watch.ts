import { LockError } from '@locks/core'
import type { Ending } from '../child/ending.ts'
import { Signals } from '../child/signals.ts'
import { json } from '../output/escape.ts'
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
  const stop = stopped.promise
  let last: string | undefined
  for (;;) {
    const seen = await Promise.race([
      stop,
      look()
        .catch(blip)
        .then((text) => ({ text })),
    ])
    if (typeof seen === 'string') return seen
    const { text } = seen
    if (process.stdout.isTTY && !json) print(`\u001B[H\u001B[2J${text}`)
    else if (text !== last) print(text)
    last = text
    await pause(interval, stop)
  }
}

/** A store that cannot be reached for a while is part of what is watched. */
function blip(error: unknown): string {
  const found = LockError.find(error)
  if (!found?.temporary) throw error
  return json({ error: { code: found.code, message: found.message } })
}

async function pause(ms: number, until: Promise<unknown>): Promise<void> {
  const over = Promise.withResolvers<void>()
  const timer = setTimeout(over.resolve, ms)
  await Promise.race([over.promise, until])
  clearTimeout(timer)
}
