import fc from 'fast-check'
import type { Kind } from './adapter.ts'
import { ways, type Doom, type Way, type Weather } from './line.ts'
import type { Rates } from './machine.ts'

export const clients = 3
/** By how much a clock may be fast or slow: of two such clocks a lease's margin covers the difference, and little more. */
export const clockError = 0.05

/** The longest that anything lasts or is late, ms. */
export const longest = 3_000

export const names = ['a', 'b', 's'] as const

/** What is asked for. */
export const wishes = {
  a: { names: ['a'], mode: 'exclusive' },
  b: { names: ['b'], mode: 'exclusive' },
  'shared a': { names: ['a'], mode: 'shared' },
  'b and a': { names: ['b', 'a'], mode: 'exclusive' },
  'one of two s': { names: ['s'], mode: 'permit', permits: 2, weight: 1 },
  'two of two s': { names: ['s'], mode: 'permit', permits: 2, weight: 2 },
  // Refused while there is another limit, and the others while there is this one.
  'one of three s': { names: ['s'], mode: 'permit', permits: 3, weight: 1 },
} as const
export type WishName = keyof typeof wishes

/** What a client's program does. */
const asking = ['acquire', 'acquire within', 'request', 'crowd', 'try', 'steal'] as const
const telling = ['release', 'release and try', 'release and query', 'finish', 'fail', 'abort', 'look', 'close'] as const
/** What happens to a client, to its line, or to its session at the store. */
const befalling = [
  'stop',
  'sleep',
  'set clock',
  'busy',
  'ambush',
  'crash',
  'cut',
  'reset',
  'deny',
  'heal',
  'expel',
] as const

export type Step =
  | { readonly do: (typeof asking)[number]; readonly client: number; readonly wish: WishName; readonly ms: number }
  | { readonly do: (typeof telling)[number]; readonly client: number }
  | { readonly do: (typeof befalling)[number]; readonly client: number; readonly ms: number }
  | { readonly do: 'weather'; readonly client: number; readonly way: Way; readonly how: Weather; readonly ms: number }
  | {
      readonly do: 'fate'
      readonly client: number
      readonly way: Way
      readonly how: Doom
      readonly ms: number
    }
  | { readonly do: 'pass'; readonly ms: number }
  | { readonly do: 'stop store'; readonly ms: number }
  | { readonly do: 'evict'; readonly name: string }

export interface Setting extends Kind {
  readonly seed: number
  /** What does not happen, whatever the steps say: what is rare among everything is frequent among a few. */
  readonly without: readonly Step['do'][]
  /** Who is healed in the end, and must progress then; for the others the faults last. */
  readonly heals: 'all' | 'all but one' | 'none'
  readonly ttl: number
  readonly connectTimeout: number
  /** Whose managers hand over locally. */
  readonly handover: readonly number[]
  /** How long a message takes at most while all is well. */
  readonly pace: number
  /** Of the store's clocks, then of each client's. */
  readonly rates: readonly Rates[]
}

export interface Schedule {
  readonly setting: Setting
  readonly steps: readonly Step[]
}

const client = fc.nat(clients - 1)
const ms = fc.oneof(fc.nat(20), fc.nat(400), fc.nat(longest))
const wish = fc.constantFrom(...(Object.keys(wishes) as WishName[]), 'a' as const, 'a' as const)
const way = fc.constantFrom(...ways)
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 16, arbitrary: fc.record({ do: fc.constant('pass' as const), ms }) },
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constantFrom(...asking, 'acquire' as const, 'acquire' as const, 'try' as const),
      client,
      wish,
      ms,
    }),
  },
  {
    weight: 12,
    arbitrary: fc.record({ do: fc.constantFrom(...telling, 'release' as const, 'abort' as const), client }),
  },
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constantFrom(...befalling, 'heal' as const, 'heal' as const), client, ms }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('weather' as const),
      client,
      way,
      how: fc.constantFrom('silent' as const, 'lost' as const, 'flaky' as const, 'slow' as const, 'twice' as const),
      ms,
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('fate' as const),
      client,
      way,
      how: fc.constantFrom('lost' as const, 'late' as const, 'twice' as const, 'stray' as const),
      ms,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('stop store' as const), ms }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('evict' as const), name: fc.constantFrom(...names) }) },
)

const optional: Step['do'][] = [...asking.slice(1), ...telling, ...befalling, 'weather', 'fate', 'stop store', 'evict']

/** Schedules in which clocks are wrong by so much. */
export function schedules(error: number): fc.Arbitrary<Schedule> {
  const rate = fc.oneof(
    fc.constantFrom(1 - error, 1, 1 + error),
    fc.double({ min: 1 - error, max: 1 + error, noNaN: true }),
  )
  return fc.record({
    setting: fc.record({
      seed: fc.noShrink(fc.nat(2 ** 31 - 1)),
      without: fc.subarray(optional),
      heals: fc.constantFrom('all' as const, 'all but one' as const, 'none' as const),
      leases: fc.constantFrom('session' as const, 'entry' as const),
      ordered: fc.boolean(),
      sets: fc.constantFrom('atomic' as const, 'ordered' as const),
      ttl: fc.constantFrom(1_000, 1_500, 3_000, 10_000),
      connectTimeout: fc.constantFrom(500, 2_000, 5_000),
      handover: fc.subarray(Array.from({ length: clients }, (_, slot) => slot)),
      pace: fc.constantFrom(2, 20, 100),
      rates: fc.array(fc.record({ mono: rate, wall: rate }), { minLength: clients + 1, maxLength: clients + 1 }),
    }),
    steps: fc.array(step, { minLength: 5, maxLength: 60, size: 'max' }),
  })
}

/** As a person reads it. */
export function written({ setting: { rates, without, ...rest }, steps }: Schedule): string {
  const clocks = rates.map(({ mono, wall }) => `${mono.toFixed(3)}/${wall.toFixed(3)}`).join(' ')
  return [
    JSON.stringify(rest),
    `clocks: ${clocks}`,
    ...steps.filter(({ do: what }) => !without.includes(what)).map(line),
  ].join('\n')
}

function line(step: Step): string {
  const { do: what, ...rest } = step
  const details = Object.entries(rest).filter(([key]) => key !== 'client')
  const who = 'client' in step ? `client ${step.client}: ` : ''
  return `  ${who}${what} ${details.map(([key, value]) => (key === 'ms' ? `${value} ms` : value)).join(' ')}`.trimEnd()
}
