import fc from 'fast-check'
import type { Way, Weather } from '../simulation/line.ts'

export type Step =
  | { readonly do: 'acquire' | 'try' | 'release'; readonly program: number }
  | { readonly do: 'acquire within' | 'stop'; readonly program: number; readonly ms: number }
  | { readonly do: 'cut' | 'reset' | 'heal'; readonly program: number; readonly node: number }
  | {
      readonly do: 'weather'
      readonly program: number
      readonly node: number
      readonly way: Way
      readonly how: Weather
      readonly ms: number
    }
  | { readonly do: 'stop node'; readonly node: number; readonly ms: number }
  | { readonly do: 'pass'; readonly ms: number }

export interface Schedule {
  readonly seed: number
  readonly nodes: number
  readonly programs: number
  readonly ordered: boolean
  readonly leases: 'entry' | 'session'
  /** Whether all programs were given the nodes in the same order. */
  readonly sameOrder: boolean
  /** How fast each clock runs. */
  readonly rates: readonly number[]
  readonly steps: readonly Step[]
}

const program = fc.nat(3)
const node = fc.nat(4)
const ms = fc.integer({ min: 1, max: 2_500 })
const way = fc.constantFrom<Way>('calls', 'answers', 'events')
const how = fc.constantFrom<Weather>('silent', 'lost', 'flaky', 'slow', 'twice')

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constantFrom('acquire', 'try', 'release'), program }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('acquire within'), program, ms }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('release'), program }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('pass'), ms: fc.oneof(fc.integer({ min: 1, max: 30 }), ms) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('stop'), program, ms }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('cut', 'reset'), program, node }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('heal'), program, node }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('weather'), program, node, way, how, ms }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('stop node'), node, ms }) },
)

/** Clocks that are wrong by so much at the most. */
export const schedules = (clockError: number): fc.Arbitrary<Schedule> =>
  fc.record({
    seed: fc.nat(),
    nodes: fc.constantFrom(3, 3, 5),
    programs: fc.integer({ min: 2, max: 4 }),
    ordered: fc.boolean(),
    leases: fc.constantFrom('entry', 'entry', 'session'),
    rates: fc.array(fc.double({ min: 1 - clockError, max: 1 + clockError, noNaN: true }), { maxLength: 10 }),
    steps: fc.array(step, { maxLength: 60, size: 'max' }),
    sameOrder: fc.constantFrom(true, true, false),
  })
