import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { LockError, openLocks, type Capabilities } from '@locks/core'
import type { Act, Course } from './acts/act.ts'
import { acts } from './acts/index.ts'
import type { Crew } from './crew.ts'
import type { Progress } from './progress.ts'
import { Stage, type Setting } from './stage.ts'
import type { Audit } from './stock.ts'
import { ms, number, paint } from './text.ts'
import { faultsOf } from './verdict.ts'

export interface Props {
  /** For whatever is written; it is there, and the caller removes it. */
  readonly folder: string
  /** Where the locks are kept. */
  readonly url: string
  readonly crew: Crew
  readonly progress: Progress
}

/** How one act went. */
export interface Played {
  readonly act: Act
  readonly processes: number
  readonly audit: Audit
  readonly course: Course
  /** What was not as it must be. */
  readonly faults: readonly string[]
}

/** Milliseconds that no act needs, on the slowest backend. */
const patience = 60_000

/** Plays all acts on one backend, and tells how they go. */
export async function play({ folder, url, crew, progress }: Props): Promise<Played[]> {
  const { ttl: limits, takeover } = await capabilitiesOf(url)
  const ttl = Math.max(2_000, limits.min)
  const locking = { url, ttl, namespace: `demo-${randomUUID()}` }
  const setting: Setting = { locking, limit: ttl + takeover, crew, progress }
  progress.say(`A stock of ${number(Stage.units)} units, and processes that sell from it.`)
  progress.say(`Locks kept by ${schemeOf(url)}, ttl ${ms(ttl)}.`)
  const played: Played[] = []
  for (const [at, act] of acts.entries()) {
    played.push(await playOne(act, at + 1, join(folder, `act-${at + 1}`), setting))
  }
  progress.say()
  return played
}

/** Tells what was not as it must be; whether all was. */
export function judge(played: readonly Played[], progress: Progress): boolean {
  for (const [at, { faults }] of played.entries()) for (const fault of faults) progress.say(`Act ${at + 1}: ${fault}.`)
  return played.every(({ faults }) => faults.length === 0)
}

/** What the backend promises; refuses one that cannot serve this demo. */
async function capabilitiesOf(url: string): Promise<Capabilities> {
  await using locks = await openLocks(url, { require: { fencing: 'volatile' } })
  if (locks.capabilities.scope !== 'process') return locks.capabilities
  const why = `${schemeOf(url)}: covers only the process that opens it, and the demo starts many; try sqlite:path`
  throw new LockError('UNSUPPORTED', why)
}

/** What may be shown of a URL: the rest can hold a password. */
function schemeOf(url: string): string {
  return url.slice(0, url.indexOf(':'))
}

async function playOne(act: Act, at: number, folder: string, setting: Setting): Promise<Played> {
  const { progress, crew } = setting
  progress.say()
  progress.say(paint('bold', `${at}  ${act.title}`))
  const stage = new Stage(folder, act.fenced, setting)
  const course = await Promise.race([act.play(stage), tooLong(at)])
  await crew.dismiss()
  const audit = stage.stock.audit()
  return { act, processes: stage.sellers.length, audit, course, faults: faultsOf(act, course, audit, stage.sales) }
}

async function tooLong(at: number): Promise<never> {
  await delay(patience, undefined, { ref: false })
  throw new Error(`act ${at} did not end within ${ms(patience)}`)
}
