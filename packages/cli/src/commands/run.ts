import { LockError } from '@locks/core'
import type { Ending } from '../child/ending.ts'
import { runUnder } from '../child/hold.ts'
import { span } from '../durations.ts'
import { exitCodes } from '../exit-codes.ts'
import { Failure, misuse } from '../failure.ts'
import { visible } from '../output/escape.ts'
import { tell } from '../output/tell.ts'
import { acquire } from '../store/acquire.ts'
import { tellGranted, tellLost } from './events.ts'
import { patience, work, type WorkOptions } from './work.ts'

export interface RunOptions extends WorkOptions {
  readonly shared?: boolean | undefined
  readonly permits?: number | undefined
  readonly weight?: number | undefined
  /** Milliseconds; for ever if undefined. */
  readonly wait?: number | undefined
  readonly conflictExitCode: number
}

/** Runs a command under one lock or several, and ends as it ends. */
export function run(names: readonly string[], command: readonly string[], options: RunOptions): Promise<Ending> {
  const { shared, permits, weight, wait, conflictExitCode } = options
  if (names.length > 1 && (permits ?? weight) !== undefined) throw misuse('--permits and --weight take one name')
  if (names.length > 1 && names.some((name) => name.includes('\n'))) {
    throw misuse('of several names none may have a line break: LOCKS_NAME has one a line')
  }
  const started = performance.now()
  // An answer that is wanted soon needs a store that answers.
  const connectTimeout = wait === undefined ? patience : Math.max(wait, 5_000)
  return work(command, { ...options, connectTimeout }, async ({ locks, owner, stopping, signals, waitFor }) => {
    // The time to connect is part of the wait.
    const timeout = wait && Math.max(1, wait - (performance.now() - started))
    const ask = (signal: AbortSignal) => acquire(locks, { names, owner, shared, permits, weight, timeout, signal })
    const held = await waitFor(names, ask).catch((error: unknown) => {
      throw LockError.is(error, 'TIMEOUT') ? new Failure('TIMEOUT', conflictExitCode, late(names, wait, error)) : error
    })
    if (typeof held === 'string') return held
    tellGranted(options, held)
    const { ending, lost } = await runUnder(held, command, stopping, signals)
    if (lost) tellLost(options, held, ending)
    else if (options.json) tell(options, { event: 'ended', ending }, '')
    return lost ? exitCodes.lost : ending
  })
}

/** Core has been told of the rest of the time only. */
function late(names: readonly string[], wait: number | undefined, error: unknown): string {
  const which = names.map(visible).join(', ')
  if (!wait) return `${which} is held or waited for`
  const last = LockError.find((error as Error).cause)
  return `${which} was not granted within ${span(wait)}${last ? `; the store's last word was: ${last.message}` : ''}`
}
