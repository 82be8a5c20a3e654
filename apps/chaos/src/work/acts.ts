import type { Capabilities } from '@locks/core'
import type { Chance } from '../chance.ts'
import { locks, semaphore, tried } from '../names.ts'

/** What a worker may do next. Durations in ms. */
export interface Act {
  readonly kind: 'lock' | 'lead' | 'set' | 'occupy' | 'reopen'
  readonly names: readonly string[]
  readonly mode: 'exclusive' | 'shared' | 'permit'
  readonly weight?: number
  readonly steal?: boolean
  /** Does not wait. */
  readonly tries?: boolean
  /** By `request`, with a callback, and not by `acquire`. */
  readonly byRequest?: boolean
  readonly timeout?: number
  /** Changes its mind after so long, if it still waits then. */
  readonly abortAfter?: number
  readonly lasts: number
  /** How long it rests afterwards. */
  readonly rest: number
}

/** Any act that the backend is capable of. */
export function nextAct(chance: Chance, ttl: number, capabilities: Capabilities): Act {
  const kind = chance.weighted<Act['kind'] | 'permit' | 'shared' | 'steal' | 'try'>([
    [50, 'lock'],
    [capabilities.shared ? 14 : 0, 'shared'],
    [capabilities.semaphore ? 10 : 0, 'permit'],
    [8, 'try'],
    [6, 'set'],
    [capabilities.elections ? 8 : 0, 'lead'],
    [8, 'occupy'],
    [capabilities.steal ? 1 : 0, 'steal'],
    [0.5, 'reopen'],
  ])
  const base = { names: [chance.oneOf(locks)], mode: 'exclusive' as const, ...durations(chance, ttl) }
  const patience = { ...impatience(chance, ttl), byRequest: chance.unit() < 0.3 }
  switch (kind) {
    case 'lock':
      return { kind, ...base, ...patience }
    case 'shared':
      return { kind: 'lock', ...base, ...patience, mode: 'shared' }
    case 'permit':
      return {
        kind: 'lock',
        ...base,
        ...patience,
        names: [semaphore.name],
        mode: 'permit',
        weight: 1 + Math.floor(chance.unit() * 2),
      }
    case 'lead':
      return { kind, ...base, ...impatience(chance, ttl) }
    case 'try':
      return { kind: 'lock', ...base, tries: true }
    case 'steal':
      return { kind: 'lock', ...base, steal: true, timeout: 2 * ttl }
    case 'set':
      return { kind, ...base, ...impatience(chance, ttl), names: chance.unit() < 0.5 ? locks : locks.toReversed() }
    case 'occupy':
      return { kind, ...base, names: [tried], tries: true, lasts: chance.between(20, 250) }
    case 'reopen':
      return { kind, ...base }
  }
}

/** Of a client whose manager hands over locally: whether it may wait there, and not at the store. */
export function mayStandInLine({ kind, mode, steal, tries }: Act, { sets }: Capabilities): boolean {
  const apart = kind === 'lock' || (kind === 'set' && sets === 'ordered')
  return apart && mode === 'exclusive' && !steal && !tries
}

/** Mostly short; now and then long enough to need a renewal. */
function durations(chance: Chance, ttl: number): { lasts: number; rest: number } {
  const lasts = chance.weighted([
    [76, chance.between(0, 8)],
    [21, chance.between(10, 80)],
    [3, chance.between(0.5, 1.3) * ttl],
  ])
  return { lasts, rest: chance.between(2, 40) }
}

function impatience(chance: Chance, ttl: number): { timeout?: number; abortAfter?: number } {
  return chance.weighted([
    [55, { timeout: chance.between(0.5, 4) * ttl }],
    [10, { timeout: chance.between(5, 100) }],
    [15, { abortAfter: chance.between(0, 1.5) * ttl }],
    [20, {}],
  ])
}
