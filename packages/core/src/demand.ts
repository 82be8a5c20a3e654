import {
  boolean,
  checkOptions,
  instance,
  integer,
  longestTimer,
  milliseconds,
  oneOf,
  text,
  type Checked,
} from './checks.ts'
import type { Capabilities } from './capabilities.ts'
import { invalid, shown, unsupported } from './errors.ts'
import { checkName } from './names.ts'
import type { Mode } from './queue.ts'

/** How a lock is wanted: what all ways of asking have in common. */
export interface LockOptions {
  /** `'exclusive'` unless said otherwise. */
  readonly mode?: 'exclusive' | 'shared' | undefined
  /** Makes the name a counting semaphore with this limit, from 1 to 2^31 - 1. Everybody must name the same one. */
  readonly permits?: number | undefined
  /** How many of the permits to take; 1 unless said otherwise. */
  readonly weight?: number | undefined
  /** Takes the lock from its holders, ahead of all who wait. Only their tokens protect from them then. */
  readonly steal?: boolean | undefined
}

export interface AcquireOptions extends LockOptions {
  /** Milliseconds to wait, from 0 (take the first answer) to 2^31 - 1. Without it the wait has no end. */
  readonly timeout?: number | undefined
  /** Ends the wait; ignored once the lock is granted. */
  readonly signal?: AbortSignal | undefined
}

export interface RequestOptions extends AcquireOptions {
  /** Calls back with `null` instead of waiting. */
  readonly ifAvailable?: boolean | undefined
}

export interface SetOptions {
  readonly mode?: 'exclusive' | 'shared' | undefined
  /** Milliseconds to wait for all of them together. */
  readonly timeout?: number | undefined
  readonly signal?: AbortSignal | undefined
}

export interface CampaignOptions {
  /** What others are told of the leader, such as its address: up to 4,096 UTF-16 code units; `''` unless said otherwise. */
  readonly value?: string | undefined
  /** Milliseconds to wait, from 0 (take the first answer) to 2^31 - 1. Without it the wait has no end. */
  readonly timeout?: number | undefined
  /** Ends the wait; ignored once it leads. */
  readonly signal?: AbortSignal | undefined
}

export interface ObserveOptions {
  /** Ends the observation, with its reason. */
  readonly signal?: AbortSignal | undefined
}

/** A checked wish. */
export interface Demand {
  readonly mode: Mode
  readonly permits?: number | undefined
  readonly weight?: number | undefined
  readonly steal: boolean
  readonly wait: boolean
  readonly timeout?: number | undefined
  readonly signal?: AbortSignal | undefined
  /** What the entry is to have beside it, as stores take it. */
  readonly value?: string | undefined
}

const mode = oneOf('exclusive', 'shared')
const permits = integer(1, 2_147_483_647)
const timeout = milliseconds(0, longestTimer)
const signal = instance('an AbortSignal', (value): value is AbortSignal => value instanceof AbortSignal)

const lockChecks = { mode, permits, weight: permits, steal: boolean }
const acquireChecks = { ...lockChecks, timeout, signal }
const requestChecks = { ...acquireChecks, ifAvailable: boolean }
const setChecks = { mode, timeout, signal }
const campaignChecks = { value: text(4_096), timeout, signal }
const observeChecks = { signal }

const free: Demand = { mode: 'exclusive', steal: false, wait: true }

export function checkAcquire(name: unknown, options: unknown, capabilities: Capabilities): Demand {
  checkName(name)
  return options === undefined ? free : demandOf(checkOptions(options, acquireChecks), capabilities)
}

export function checkTry(name: unknown, options: unknown, capabilities: Capabilities): Demand {
  checkName(name)
  return { ...demandOf(checkOptions(options, lockChecks), capabilities), wait: false }
}

/** The checks of the Web Locks standard, in its order: types first, then what cannot be combined. */
export function checkRequest(name: unknown, options: unknown, callback: unknown, capabilities: Capabilities): Demand {
  if (typeof callback !== 'function') throw invalid(`the callback must be a function; got ${shown(callback)}`)
  if (typeof name !== 'string') checkName(name)
  const given = checkOptions(options, requestChecks)
  checkName(name)
  if (given.ifAvailable) {
    if (given.steal) throw unsupported('steal and ifAvailable exclude each other')
    if (given.timeout !== undefined) throw unsupported('timeout and ifAvailable exclude each other')
  }
  if (given.signal && (given.steal || given.ifAvailable)) {
    throw unsupported(`signal and ${given.steal ? 'steal' : 'ifAvailable'} exclude each other`)
  }
  const demand = demandOf(given, capabilities)
  return given.ifAvailable ? { ...demand, wait: false } : demand
}

export function checkSet(names: unknown, options: unknown, capabilities: Capabilities): Demand {
  if (!Array.isArray(names) || names.length === 0) {
    throw invalid(`acquireAll takes a list of at least one name; got ${Array.isArray(names) ? 'none' : shown(names)}`)
  }
  // Not `forEach`, which passes over holes.
  for (const name of names) checkName(name)
  const twice = names.find((name, at) => names.indexOf(name) !== at)
  if (twice !== undefined) throw invalid(`acquireAll takes each name once; ${shown(twice)} stands twice`)
  return demandOf(checkOptions(options, setChecks), capabilities)
}

export function checkElection(name: unknown, capabilities: Capabilities): asserts name is string {
  checkName(name)
  need(capabilities.elections, 'elections')
}

export function checkCampaign(options: unknown): { readonly value: string; readonly demand: Demand } {
  const { value = '', timeout: wait, signal: until } = checkOptions(options, campaignChecks)
  return { value, demand: { ...free, wait: wait !== 0, timeout: wait, signal: until } }
}

export function checkObserve(options: unknown): ObserveOptions {
  return checkOptions(options, observeChecks)
}

function demandOf(given: Checked<typeof acquireChecks>, capabilities: Capabilities): Demand {
  const semaphore = given.permits !== undefined
  if (semaphore && given.mode !== undefined) throw unsupported('mode and permits exclude each other')
  if (given.weight !== undefined && given.permits === undefined) throw invalid('weight needs permits beside it')
  if (given.weight !== undefined && given.permits !== undefined && given.weight > given.permits) {
    throw invalid(`weight must be from 1 to permits, ${given.permits}; got ${given.weight}`)
  }
  if (given.steal && given.mode === 'shared') throw unsupported('steal and shared exclude each other')
  if (given.steal && semaphore) throw unsupported('steal and permits exclude each other')
  if (given.mode === 'shared') need(capabilities.shared, 'shared locks')
  if (semaphore) need(capabilities.semaphore, 'semaphores')
  if (given.steal) need(capabilities.steal, 'steal')
  const kind: Pick<Demand, 'mode' | 'permits' | 'weight'> = semaphore
    ? { mode: 'permit', permits: given.permits, weight: given.weight ?? 1 }
    : { mode: given.mode ?? 'exclusive' }
  const { timeout: wait, signal: until } = given
  return { ...kind, steal: given.steal ?? false, wait: wait !== 0, timeout: wait, signal: until }
}

function need(has: boolean, what: string): void {
  if (!has) throw unsupported(`this backend has no ${what}`)
}
