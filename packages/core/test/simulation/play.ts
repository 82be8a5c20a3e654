import fc from 'fast-check'
import { clockError, schedules, type Schedule } from './schedule.ts'
import { simulate, type Extras } from './simulate.ts'

export interface Played {
  readonly played: number
  /** The shortest schedule that was found to break something. */
  readonly schedule?: Schedule
  readonly path?: string
  /** What it breaks. */
  readonly rule?: string | undefined
  readonly error?: string
}

/** Plays the schedules that a seed makes, up to the first that breaks a promise. */
export async function play(options: {
  readonly seed: number
  readonly schedules: number
  readonly path?: string | undefined
  readonly shrinks?: boolean
  readonly wrap?: Extras['wrap']
  /** By how much clocks may be fast or slow. */
  readonly clockError?: number
}): Promise<Played> {
  const { seed, schedules: numRuns, path, shrinks = true, wrap, clockError: wrong = clockError } = options
  let played = 0
  const property = fc.asyncProperty(schedules(wrong), async (schedule) => {
    played++
    await simulate(schedule, { wrap })
  })
  const result = await fc.check<[Schedule]>(property, { seed, numRuns, endOnFailure: !shrinks, ...(path && { path }) })
  if (!result.failed || !result.counterexample) return { played }
  const [schedule] = result.counterexample
  const error = result.errorInstance as Error & { readonly rule?: string }
  return { played, schedule, path: result.counterexamplePath ?? '', rule: error.rule, error: error.message }
}

/** Plays one schedule. */
export async function replay(schedule: Schedule): Promise<Played> {
  try {
    await simulate(schedule)
    return { played: 1 }
  } catch (error) {
    const { message, rule } = error as Error & { readonly rule?: string }
    return { played: 1, schedule, rule, error: message }
  }
}
