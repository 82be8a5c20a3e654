import type { LockManager } from '@locks/core'
import { stoppingAt, type Stopping } from '../child/deadline.ts'
import { endAs, type Ending } from '../child/ending.ts'
import { checkCommand } from '../child/lookup.ts'
import { Signals } from '../child/signals.ts'
import { misuse } from '../failure.ts'
import { tellWarnings } from '../output/notices.ts'
import { Progress } from '../output/progress.ts'
import { connect, defaultOwner, type StoreOptions } from '../store/connect.ts'
import type { Held } from '../store/acquire.ts'

export interface WorkOptions extends StoreOptions {
  readonly grace?: number | undefined
  readonly json?: boolean | undefined
}

/** What the commands have that wait for a lock and then run something. */
export interface Work {
  readonly locks: LockManager
  readonly owner: string
  readonly stopping: Stopping
  readonly signals: Signals
  /** What has been granted, or the signal by which the wait was ended. */
  readonly waitFor: (
    names: readonly string[],
    ask: (signal: AbortSignal) => Promise<Held>,
  ) => Promise<Held | NodeJS.Signals>
}

/** Milliseconds: a store may be slow when everybody comes at once, but whoever waits for ever wants to know of a wrong URL. */
export const patience = 60_000

/** Connects, works, and lets go of everything. */
export async function work(
  command: readonly string[],
  options: WorkOptions,
  task: (work: Work) => Promise<Ending>,
): Promise<Ending> {
  checkCommand(command, process.env)
  tellWarnings(options)
  const owner = options.owner ?? defaultOwner()
  // Nothing is at the store yet that would have to be removed.
  const signals = new Signals({ ending: (signal) => void endAs(signal) })
  const locks = await connect({ ...options, owner })
  try {
    const stopping = stoppingFor(locks, options)
    const progress = new Progress(locks, options.json)
    const waitFor: Work['waitFor'] = (names, ask) =>
      untilSignalled(signals, (signal) => progress.during(names, () => ask(signal)))
    return await task({ locks, owner, stopping, signals, waitFor })
  } finally {
    await locks.close()
  }
}

async function untilSignalled(
  signals: Signals,
  wait: (signal: AbortSignal) => Promise<Held>,
): Promise<Held | NodeJS.Signals> {
  const given: NodeJS.Signals[] = []
  const aborted = new AbortController()
  signals.to({
    ending(signal) {
      given.push(signal)
      aborted.abort()
    },
  })
  try {
    const held = await wait(aborted.signal)
    // The signal may have come when the grant was on its way.
    if (given[0] !== undefined) await held.holding.release()
    return given[0] ?? held
  } catch (error) {
    if (given[0] === undefined) throw error
    return given[0]
  }
}

function stoppingFor(locks: LockManager, options: WorkOptions): Stopping {
  const { min, max } = locks.capabilities.ttl
  const ttl = options.ttl ?? Math.min(Math.max(10_000, min), max)
  const { longestGrace, ...usual } = stoppingAt(ttl)
  const { grace = usual.grace } = options
  if (grace <= longestGrace) return { ...usual, grace }
  throw misuse(`--grace must be at most ${Math.floor(longestGrace)}ms with a ttl of ${ttl}ms; or raise --ttl`)
}
