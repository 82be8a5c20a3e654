import type { Rates } from './machine.ts'
import type { Schedule, Setting, Step } from './schedule.ts'

/** A defect of core that the simulation has found, as the short schedule that shows it. */
export interface Found {
  readonly what: string
  /** The mutant that has the defect again. */
  readonly mutant: string
  readonly schedule: Schedule
}

const usual: Setting = {
  seed: 1,
  without: [],
  heals: 'all',
  leases: 'session',
  ordered: false,
  sets: 'atomic',
  ttl: 1_000,
  connectTimeout: 3_000,
  handover: [],
  pace: 2,
  rates: [],
}

const ms = 0
const slow: Rates = { mono: 0.95, wall: 0.95 }
/** A client that has a session. */
const opened: readonly Step[] = [
  { do: 'try', client: 0, wish: 'b', ms },
  { do: 'pass', ms: 20 },
  { do: 'release', client: 0 },
  { do: 'pass', ms: 20 },
]

export const found: readonly Found[] = [
  {
    what: 'a try whose grant came too late, and was given back, was said not to have been applied',
    mutant: 'late-is-unavailable',
    schedule: {
      setting: { ...usual, leases: 'entry' },
      steps: [
        ...opened,
        { do: 'weather', client: 0, way: 'answers', how: 'silent', ms },
        { do: 'try', client: 0, wish: 'a', ms },
        { do: 'pass', ms: 900 },
        { do: 'heal', client: 0, ms },
        { do: 'pass', ms: 20 },
      ],
    },
  },
  {
    what: 'a try that was applied in a session that ended was said not to have been applied',
    mutant: 'doubt-ends-with-session',
    schedule: {
      setting: usual,
      steps: [
        ...opened,
        { do: 'weather', client: 0, way: 'answers', how: 'silent', ms },
        { do: 'try', client: 0, wish: 'a', ms },
        { do: 'pass', ms: 3_000 },
        { do: 'pass', ms: 1_000 },
      ],
    },
  },
  {
    what: 'a release was called a loss when its removal was overtaken by the repetition of it',
    mutant: 'first-is-loss',
    schedule: {
      setting: { ...usual, leases: 'entry' },
      steps: [
        { do: 'acquire', client: 0, wish: 'a', ms },
        { do: 'pass', ms: 20 },
        { do: 'fate', client: 0, way: 'calls', how: 'late', ms: 420 },
        { do: 'fate', client: 0, way: 'answers', how: 'late', ms: 300 },
        { do: 'release', client: 0 },
        { do: 'pass', ms: 1_000 },
      ],
    },
  },
  {
    what: 'a call that took effect later than a ttl after it was given up left a lock that an idle manager kept for ever',
    mutant: 'no-audit-when-idle',
    schedule: {
      setting: usual,
      steps: [
        ...opened,
        { do: 'fate', client: 0, way: 'calls', how: 'stray', ms: 2_500 },
        { do: 'acquire', client: 0, wish: 'a', ms },
        { do: 'pass', ms: 200 },
        { do: 'release', client: 0 },
        { do: 'pass', ms: 20 },
      ],
    },
  },
  {
    what: 'a release was called a loss when the lock had expired while the release could not leave',
    mutant: 'expired-is-loss',
    schedule: {
      setting: { ...usual, leases: 'entry' },
      steps: [
        { do: 'acquire', client: 0, wish: 'a', ms },
        { do: 'pass', ms: 20 },
        { do: 'acquire', client: 0, wish: 'a', ms },
        { do: 'release', client: 0 },
        { do: 'sleep', client: 0, ms: 1_100 },
        { do: 'pass', ms: 1_200 },
      ],
    },
  },
  {
    what: 'a lock was handed on that was given back in the midst of the losses by the end of its session',
    mutant: 'hands-on-a-dead-session',
    schedule: {
      // A seed by which the first holder lets go of the others as soon as it is told of a loss.
      setting: { ...usual, seed: 987_773_807, handover: [2] },
      steps: [
        { do: 'acquire', client: 2, wish: 'a', ms },
        { do: 'acquire', client: 2, wish: 'b', ms },
        { do: 'pass', ms: 20 },
        { do: 'acquire', client: 2, wish: 'b', ms },
        { do: 'expel', client: 2, ms },
        { do: 'pass', ms: 500 },
      ],
    },
  },
  {
    what: 'a lock that was robbed before its grant was heard of was said to be lost before it was said to be granted',
    mutant: 'lost-before-granted',
    schedule: {
      setting: { ...usual, seed: 26 },
      steps: [
        { do: 'acquire', client: 2, wish: 'a', ms },
        { do: 'acquire', client: 2, wish: 'a', ms },
        { do: 'weather', client: 2, way: 'events', how: 'silent', ms },
        { do: 'steal', client: 2, wish: 'a', ms },
        { do: 'pass', ms: 5 },
        { do: 'evict', name: 'a' },
        { do: 'pass', ms: 2 },
      ],
    },
  },
  {
    what: 'a grant whose answer came after the lock had been robbed was believed for longer than a ttl from the theft',
    mutant: 'late-proof',
    schedule: {
      setting: { ...usual, seed: 226_730_811, connectTimeout: 500, pace: 100, rates: Array<Rates>(4).fill(slow) },
      steps: [
        { do: 'weather', client: 0, way: 'events', how: 'lost', ms: 2_000 },
        { do: 'acquire', client: 0, wish: 'a', ms },
        { do: 'pass', ms: 93 },
        { do: 'fate', client: 0, way: 'answers', how: 'late', ms: 650 },
        { do: 'steal', client: 1, wish: 'a', ms },
        { do: 'acquire', client: 0, wish: 'one of three s', ms },
        { do: 'acquire', client: 0, wish: 'two of two s', ms },
        { do: 'pass', ms: 392 },
        { do: 'ambush', client: 1, ms: 1_059 },
        { do: 'pass', ms: 3 },
        { do: 'stop', client: 0, ms: 336 },
        { do: 'fate', client: 0, way: 'calls', how: 'lost', ms },
      ],
    },
  },
  {
    what: 'a release was called a loss when the store, whose clock was fast, had let the lock expire while it could not hear',
    mutant: 'exact-clocks',
    schedule: {
      setting: { ...usual, leases: 'entry', ttl: 3_000, rates: [{ mono: 0.95, wall: 1.05 }, slow, slow, slow] },
      steps: [
        { do: 'try', client: 0, wish: 'a', ms },
        { do: 'pass', ms: 1_707 },
        { do: 'stop store', ms: 2_208 },
        { do: 'pass', ms: 1_664 },
        { do: 'release', client: 0 },
        { do: 'pass', ms: 1_500 },
      ],
    },
  },
]

/** A lock that is given back, with somebody in line, so long after the line was cut. */
const givenBackAfter = (silent: number): Schedule => ({
  setting: { ...usual, leases: 'entry', heals: 'none', handover: [0] },
  steps: [
    { do: 'acquire', client: 0, wish: 'a', ms },
    { do: 'acquire', client: 0, wish: 'a', ms },
    { do: 'pass', ms: 20 },
    { do: 'cut', client: 0, ms },
    { do: 'pass', ms: silent },
    { do: 'release', client: 0 },
    { do: 'pass', ms: 1_000 },
  ],
})

/** What chance makes too rarely for a test, by the mutant that it shows. */
export const contrived: ReadonlyMap<string, Schedule> = new Map([
  ['no-audit', found.find(({ mutant }) => mutant === 'no-audit-when-idle')?.schedule as Schedule],
  [
    'wall-only',
    {
      setting: { ...usual, leases: 'entry', heals: 'none' },
      steps: [
        { do: 'acquire', client: 0, wish: 'a', ms },
        { do: 'pass', ms: 20 },
        { do: 'cut', client: 0, ms },
        { do: 'set clock', client: 0, ms: 2_999 },
        { do: 'pass', ms: 2_000 },
      ],
    },
  ],
  [
    // Robbed unheard between two calls for one claim, whose answers both say that it was granted.
    'other-token',
    {
      setting: { ...usual, leases: 'entry' },
      steps: [
        ...opened,
        { do: 'try', client: 1, wish: 'b', ms },
        { do: 'pass', ms: 20 },
        { do: 'release', client: 1 },
        { do: 'weather', client: 0, way: 'events', how: 'lost', ms: 3_000 },
        { do: 'fate', client: 0, way: 'answers', how: 'late', ms: 350 },
        { do: 'acquire', client: 0, wish: 'a', ms },
        { do: 'pass', ms: 5 },
        { do: 'steal', client: 1, wish: 'a', ms },
        { do: 'pass', ms: 10 },
        { do: 'release', client: 1 },
        { do: 'pass', ms: 150 },
        { do: 'fate', client: 0, way: 'answers', how: 'late', ms: 400 },
        { do: 'pass', ms: 2_400 },
      ],
    },
  ],
  ['hands-on-at-risk', givenBackAfter(600)],
  ['deadline-from-handover', givenBackAfter(450)],
])
