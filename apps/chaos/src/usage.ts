import { parseArgs } from 'node:util'
import type { Mode } from './campaign.ts'
import { stores, storesOf } from './stores/index.ts'
import type { Store } from './stores/store.ts'

export const usage = `Usage: pnpm chaos --backend NAME | --all [options]

  --backend NAME   ${stores.map(({ name }) => name).join(', ')}
  --all            all of them, one after the other
  --minutes M      how long, all runs together; 1 a run unless said otherwise
  --seed N         what is drawn is drawn from it; chosen unless given
  --mode MODE      safety (faults for ever), liveness (each heals, and everything must go on); both, half the
                   time each, unless said otherwise
  --workers N      client processes, 1 to 7, and one that tries and looks; 4 unless said otherwise
  --only FAULT     faults of this kind only; may be repeated
  --out FOLDER     where the reports go; .reports/chaos unless said otherwise

Ends with 0, or 1 where something was violated, or 2 where it could not run.`

export class UsageError extends Error {}

export interface Wanted {
  readonly stores: readonly Store[]
  readonly modes: readonly Mode[]
  /** Of each run. */
  readonly ms: number
  readonly seed: number
  readonly workers: number
  readonly only?: readonly string[] | undefined
  readonly out: string
  readonly help: boolean
}

const options = {
  backend: { type: 'string', multiple: true },
  all: { type: 'boolean' },
  minutes: { type: 'string' },
  seed: { type: 'string' },
  mode: { type: 'string' },
  workers: { type: 'string' },
  only: { type: 'string', multiple: true },
  out: { type: 'string' },
  help: { type: 'boolean' },
} as const

export function parse(args: readonly string[]): Wanted {
  const given = valuesOf(args)
  const modes = modesOf(given.mode)
  const chosen = given.all ? stores : (given.backend ?? []).flatMap(known)
  if (chosen.length === 0 && !given.help) throw new UsageError('name a backend, or --all')
  const runs = Math.max(1, chosen.length * modes.length)
  const minutes = given.minutes === undefined ? runs : number('--minutes', given.minutes, 0.01, 100_000)
  return {
    stores: chosen,
    modes,
    ms: (minutes * 60_000) / runs,
    seed: given.seed === undefined ? Math.floor(Math.random() * 1e6) : number('--seed', given.seed, 0, 2 ** 31),
    workers: given.workers === undefined ? 4 : number('--workers', given.workers, 1, 7),
    ...(given.only && { only: given.only }),
    out: given.out ?? '.reports/chaos',
    help: given.help ?? false,
  }
}

function valuesOf(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options, strict: true }).values
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

function known(backend: string): readonly Store[] {
  const found = storesOf(backend)
  if (found.length === 0) throw new UsageError(`there is no backend ${JSON.stringify(backend)}`)
  return found
}

function modesOf(mode: string | undefined): readonly Mode[] {
  if (mode === undefined) return ['safety', 'liveness']
  if (mode === 'safety' || mode === 'liveness') return [mode]
  throw new UsageError(`--mode is safety or liveness, not ${JSON.stringify(mode)}`)
}

function number(option: string, text: string, least: number, most: number): number {
  const value = Number(text)
  if (text !== '' && value >= least && value <= most) return value
  throw new UsageError(`${option} must be from ${least} to ${most}, not ${JSON.stringify(text)}`)
}
