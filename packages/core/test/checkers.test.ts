import {
  arrivalOrder,
  deadlines,
  fencedRegister,
  handovers,
  histogram,
  leaders,
  liveness,
  lostUpdates,
  outcomes,
  overlap,
  refusals,
  residue,
  success,
  tokenOrder,
  wilson,
  type Access,
  type Acquire,
  type Fault,
  type Final,
  type History,
  type HistoryRecord,
  type Hold,
  type Observed,
  type Series,
  type Verdict,
} from '@locks/core/conformance'
import { describe, expect, test } from 'vitest'

let serial = 0

const acquire = (given: Partial<Acquire> = {}): Acquire => ({
  id: ++serial,
  action: 'acquire',
  client: 'a',
  name: 'n',
  mode: 'exclusive',
  wait: true,
  invoked: 0,
  completed: 10,
  outcome: 'ok',
  ...given,
})

const hold = (given: Partial<Hold> = {}): Hold => ({
  id: ++serial,
  action: 'hold',
  client: 'a',
  name: 'n',
  acquire: 0,
  mode: 'exclusive',
  from: 0,
  until: 100,
  end: 'released',
  readings: [],
  ...given,
})

const access = (given: Partial<Access> = {}): Access => ({
  id: ++serial,
  action: 'write',
  client: 'a',
  resource: 'r',
  checked: true,
  mode: 'exclusive',
  token: '1',
  acquire: 0,
  base: null,
  invoked: 0,
  completed: 10,
  outcome: 'ok',
  ...given,
})

const final = (given: Partial<Final> = {}): Final => ({
  action: 'final',
  resource: 'r',
  checked: true,
  elements: [],
  count: 0,
  ...given,
})

const fault = (given: Partial<Fault> = {}): Fault => ({
  action: 'fault',
  kind: 'failover',
  target: 'master',
  from: 0,
  until: 1_000,
  breaks: true,
  forgets: true,
  ...given,
})

function expectClean(verdict: Verdict): void {
  expect(verdict.checked).toBeGreaterThan(0)
  expect(verdict.violations).toEqual([])
  expect(verdict.excused).toEqual([])
}

const messages = ({ violations }: Verdict) => violations.map(({ message }) => message)

/** Finds it; and with a fault that explains it, excuses it. */
function expectFound(judge: (history: History) => Verdict, history: HistoryRecord[], message: RegExp): void {
  expect(messages(judge(history))).toEqual([expect.stringMatching(message)])
  const excused = judge([...history, fault()])
  expect(excused.violations).toEqual([])
  expect(excused.excused).toMatchObject([{ by: 'failover' }])
}

describe('token order', () => {
  test('lets tokens of grants that were pending together come in any order', () => {
    expectClean(tokenOrder([acquire({ token: '2' }), acquire({ invoked: 5, completed: 20, token: '1' })]))
  })

  test('finds a lower token of a later grant', () => {
    const history = [acquire({ token: '10' }), acquire({ invoked: 20, completed: 30, token: '9', client: 'b' })]
    expectFound(tokenOrder, history, /token 9 of b after token 10 of a/)
  })

  test('finds a token that was given twice at the same time', () => {
    expectFound(tokenOrder, [acquire({ token: '7' }), acquire({ token: '7', client: 'b' })], /token 7 of b/)
  })

  test('has no order of shared holders, but of a shared one after an exclusive one', () => {
    const shared = { mode: 'shared', invoked: 20, completed: 30 } as const
    const twice = [acquire({ mode: 'shared', token: '5' }), acquire({ ...shared, token: '4' })]
    expectClean(tokenOrder(twice))
    expectFound(tokenOrder, [acquire({ token: '5' }), acquire({ ...shared, token: '4' })], /token 4/)
  })

  test('finds the inversion behind a later, lower one', () => {
    const at = (invoked: number, token: string) => acquire({ invoked, completed: invoked + 1, token })
    expect(messages(tokenOrder([at(0, '10'), at(2, '4'), at(4, '5')]))).toHaveLength(2)
  })

  test('lets a manager hand on what a thief has taken until it may have heard of it', () => {
    const first = acquire({ token: '64' })
    const thief = acquire({ client: 'b', steal: true, invoked: 20, completed: 30, token: '128' })
    const next = acquire({ inLine: true, invoked: 40, completed: 50, token: '65' })
    const judge = (...history: Acquire[]) => messages(tokenOrder(history, { slack: 15 }))
    expect(judge(first, thief, next)).toEqual([])
    expect(judge(first, { ...thief, steal: false }, next)).toHaveLength(1)
    expect(judge(first, thief, { ...next, invoked: 50, completed: 60 })).toHaveLength(1)
    expect(judge(first, thief, { ...next, inLine: false })).toHaveLength(1)
    expect(judge({ ...first, client: 'c' }, thief, next)).toHaveLength(1)
  })
})

describe('fenced register', () => {
  test('is content with tokens that never fall', () => {
    expectClean(fencedRegister([access({ token: '1' }), access({ token: '2', invoked: 20, completed: 30 })]))
  })

  test('finds an old token that was accepted', () => {
    const history = [access({ token: '2' }), access({ token: '1', invoked: 20, completed: 30 })]
    expectFound(fencedRegister, history, /write with token 1 accepted after token 2/)
  })

  test('finds a reader under whose eyes something changed', () => {
    const read = { action: 'read', mode: 'shared', acquire: 1 } as const
    const history = [access({ ...read, base: 'x' }), access({ ...read, base: 'y', invoked: 20, completed: 30 })]
    expect(messages(fencedRegister(history))).toEqual([expect.stringMatching(/found x, then y/)])
  })
})

describe('lost updates', () => {
  const lost = (checked: boolean) => (history: History) => lostUpdates(history, { checked })

  test('is content if all that was confirmed is there; what is unknown may be', () => {
    const writes = [access({ element: 'x' }), access({ element: 'y', outcome: 'unknown' })]
    expectClean(lost(true)([...writes, final({ elements: ['x'], count: 1 })]))
    expectClean(lost(true)([...writes, final({ elements: ['y', 'x'], count: 2 })]))
  })

  test('finds what is gone', () => {
    const history = [access({ element: 'x' }), access({ element: 'y' }), final({ elements: ['y'], count: 1 })]
    expectFound(lost(true), history, /x, written with token 1, is gone/)
  })

  test('finds a count that is not that of the set', () => {
    expect(messages(lost(true)([final({ elements: ['x'], count: 2 })]))).toEqual(['the count is 2, and the set has 1'])
  })

  test('keeps resources that check tokens apart from those that do not', () => {
    const history = [access({ element: 'x', checked: false }), final({ checked: false })]
    expect(lost(true)(history).checked).toBe(0)
    expect(messages(lost(false)(history))).toHaveLength(1)
  })
})

describe('overlap', () => {
  const judge = (history: History) => overlap(history, { slack: 50 })

  test('is content with one after the other, and with readers together', () => {
    expectClean(judge([hold(), hold({ from: 100, until: 200 })]))
    expectClean(judge([hold({ mode: 'shared' }), hold({ mode: 'shared', from: 50 })]))
  })

  test('finds two writers, and a writer beside a reader', () => {
    expectFound(judge, [hold(), hold({ client: 'b', from: 99, until: 200 })], /b has it while a believed in it/)
    expectFound(judge, [hold({ mode: 'shared' }), hold({ client: 'b', from: 50 })], /b has it/)
  })

  test('is content with one that was over before its holder could look', () => {
    const [at, expiresAt] = [50, 40]
    const late = { client: 'b', from: at, until: at, end: 'lost' } as const
    expectClean(judge([hold(), hold({ ...late, readings: [{ at, held: false, expiresAt }] })]))
    expectFound(judge, [hold(), hold({ ...late, readings: [{ at, held: true, expiresAt: 60 }] })], /b has it/)
  })

  test('finds more weight than permits', () => {
    const permit = { mode: 'permit', permits: 3, weight: 2 } as const
    expectClean(judge([hold(permit), hold({ ...permit, weight: 1 })]))
    expectFound(judge, [hold(permit), hold({ ...permit, client: 'b' })], /b has it/)
  })

  test('blames no fault that was over before, and no theft of another name', () => {
    const both = [hold({ from: 2_000, until: 2_100 }), hold({ from: 2_050, until: 2_200 })]
    expect(messages(judge([...both, fault()]))).toHaveLength(1)
    const theft = { steal: true, invoked: 2_040, completed: 2_050 }
    expect(messages(judge([...both, acquire({ ...theft, name: 'other' })]))).toHaveLength(1)
    expect(judge([...both, acquire(theft)])).toMatchObject({ violations: [], excused: [{ by: 'theft' }] })
  })
})

describe('deadlines', () => {
  const judge = (reading: Hold['readings'][number]) => deadlines([hold({ readings: [reading] })], { ttl: 1_000 })

  test('is content with a lock that is held before its deadline, and not after', () => {
    expectClean(judge({ at: 0, held: true, expiresAt: 750 }))
    expectClean(judge({ at: 800, held: false, expiresAt: 750, blocked: { at: 0, expiresAt: 750 } }))
  })

  test('finds a lock that is held past its deadline', () => {
    expect(messages(judge({ at: 760, held: true, expiresAt: 750 }))).toEqual([expect.stringMatching(/10.0 ms after/)])
  })

  test('finds a deadline that was put off while its process stood still', () => {
    const put = judge({ at: 900, held: true, expiresAt: 1_600, blocked: { at: 0, expiresAt: 750 } })
    expect(messages(put)).toEqual([expect.stringMatching(/when its process stopped/)])
  })

  test('finds a deadline without the margin', () => {
    expect(messages(judge({ at: 0, held: true, expiresAt: 1_000 }))).toEqual([expect.stringMatching(/at most 750/)])
  })
})

describe('outcomes', () => {
  const judge = (history: History) => outcomes(history, { grace: 100 })
  const query = { id: 1_000, action: 'query', client: 'o', invoked: 200, completed: 210, outcome: 'ok' } as const
  const seen = { ...query, held: [{ name: 'n', client: 'a', token: '1' }] }

  test('is content with holders whose call was granted, is pending, or may have been', () => {
    expectClean(judge([acquire({ token: '1' }), seen]))
    expectClean(judge([acquire({ outcome: 'unknown' }), seen]))
    expectClean(judge([acquire({ token: '2', completed: 300 }), seen]))
    expectClean(judge([acquire({ invoked: 190, completed: 300, outcome: 'failed', why: 'refused' }), seen]))
  })

  test('finds a holder who was refused', () => {
    const refused = acquire({ outcome: 'failed', why: 'refused', wait: false })
    expect(messages(judge([refused, seen]))).toEqual([expect.stringMatching(/which none of its calls was granted/)])
  })

  test('gives a wait that was given up time to be removed, and not for ever', () => {
    const late = { outcome: 'failed', why: 'TIMEOUT' } as const
    expectClean(judge([acquire({ ...late, completed: 150 }), seen]))
    expect(messages(judge([acquire({ ...late, completed: 50 }), seen]))).toHaveLength(1)
  })

  test('finds a write that failed and is there', () => {
    const failed = access({ element: 'x', outcome: 'failed' })
    expectClean(judge([failed, final()]))
    expect(messages(judge([failed, final({ elements: ['x'], count: 1 })]))).toEqual([
      expect.stringMatching(/x is there/),
    ])
  })
})

describe('refusals', () => {
  const judge = (history: History) => refusals(history, { grace: 1_000, sessions: false })
  const refused = (given: Partial<Acquire>) =>
    acquire({ wait: false, outcome: 'failed', why: 'refused', client: 'b', ...given })

  test('is content if another holds, waits, or may do so', () => {
    const granted = acquire()
    const held = hold({ acquire: granted.id, until: 100 })
    expectClean(judge([granted, held, refused({ invoked: 50, completed: 60 })]))
    // Nobody knows whether its release has been confirmed.
    expectClean(judge([granted, held, refused({ invoked: 900, completed: 910 })]))
    expectClean(judge([acquire({ completed: null }), refused({ invoked: 50, completed: 60 })]))
    expectClean(judge([acquire({ outcome: 'unknown', completed: 50 }), refused({ invoked: 900, completed: 910 })]))
    expectClean(judge([refused({ invoked: 50, completed: 60 }), refused({ invoked: 55, completed: 65 })]))
  })

  test('finds one who was refused because of itself', () => {
    const granted = acquire()
    const history = [
      granted,
      hold({ acquire: granted.id, until: 100, released: 110 }),
      refused({ invoked: 700, completed: 710 }),
      acquire({ invoked: 800, queued: 805, completed: 1_500, client: 'b' }),
    ]
    expect(messages(judge(history))).toEqual([
      expect.stringMatching(/b was refused, and nobody else/),
      expect.stringMatching(/b had to wait, and nobody else/),
    ])
    expect(judge([...history, fault()]).excused).toHaveLength(2)
  })
})

describe('liveness', () => {
  const heal = { action: 'heal', at: 100, until: 150, deadline: 200 } as const

  test('is content if all that was pending has ended, however it did', () => {
    expectClean(liveness([acquire({ completed: 150, outcome: 'failed', why: 'TIMEOUT' }), heal]))
  })

  test('leaves alone what had ended before, and what was asked for afterwards', () => {
    const before = acquire({ completed: 90, outcome: 'failed', why: 'UNAVAILABLE' })
    const after = acquire({ invoked: 160, completed: null, outcome: 'unknown' })
    expect(liveness([before, after, heal])).toMatchObject({ checked: 0, violations: [] })
  })

  test('finds what is never answered, or too late, and a probe that is not served', () => {
    const never = acquire({ client: 'never', completed: null, outcome: 'unknown' })
    const late = acquire({ client: 'late', completed: 300 })
    const probe = acquire({
      client: 'probe',
      invoked: 110,
      completed: 120,
      outcome: 'failed',
      why: 'TIMEOUT',
      probe: true,
    })
    expect(messages(liveness([never, late, probe, heal]))).toEqual([
      'never is never answered',
      'late is answered 100 ms too late',
      'probe is not served: TIMEOUT',
    ])
  })
})

describe('arrival order', () => {
  const first = { client: 'first', invoked: 0, queued: 5, completed: 100 }
  const second = { client: 'second', invoked: 10, completed: 50 }

  test('is content with first come, first served', () => {
    expectClean(arrivalOrder([acquire({ ...first, token: '1' }), acquire({ ...second, completed: 150, token: '2' })]))
  })

  test('finds one that overtook', () => {
    const history = [acquire({ ...first, token: '2' }), acquire({ ...second, token: '1' })]
    expectFound(arrivalOrder, history, /second asked after first had waited/)
  })

  test('has one of those in line of each client, and none between them and others', () => {
    const inLine = [acquire({ ...first, inLine: true, token: '2' }), acquire({ ...second, token: '1' })] as const
    expect(messages(arrivalOrder(inLine))).toEqual([])
    expect(messages(arrivalOrder([inLine[0], { ...inLine[1], inLine: true }]))).toEqual([])
    expectFound(arrivalOrder, [inLine[0], { ...inLine[1], client: 'first', inLine: true }], /first had waited/)
  })
})

describe('handovers', () => {
  const bounds = { released: 50, died: 1_000, slack: 20 }

  test('measures from the end of a hold to the grant of who waited', () => {
    const history = [
      hold(),
      acquire({ queued: 50, completed: 130 }),
      acquire({ invoked: 101, queued: 110, completed: 135 }),
    ]
    expect(handovers(history, bounds)).toMatchObject({ released: [30], verdict: { violations: [] } })
  })

  test('measures nothing where somebody else had it in between', () => {
    const history = [hold(), acquire({ completed: 110 }), acquire({ queued: 50, completed: 300 })]
    expect(handovers(history, bounds).verdict).toMatchObject({ checked: 0, violations: [] })
  })

  test('finds one that takes too long, and counts none that a fault delays', () => {
    const history = [hold(), acquire({ queued: 50, completed: 200 })]
    expect(messages(handovers(history, bounds).verdict)).toEqual([expect.stringMatching(/100 ms from a/)])
    const before = fault({ from: -100, until: 79 })
    expect(handovers([...history, before], bounds).verdict.violations).toHaveLength(1)
    const heal = { action: 'heal', at: 80, until: 90, deadline: 95 } as const
    const healed = handovers([...history, fault({ from: -100, until: 81 }), heal], bounds)
    expect(healed).toMatchObject({ released: [100], verdict: { violations: [], excused: [{ by: 'failover' }] } })
    const disturbed = handovers([...history, fault({ breaks: false, from: -100, until: 81 })], bounds)
    expect(disturbed).toMatchObject({ released: [], verdict: { violations: [], excused: [{ by: 'failover' }] } })
  })

  test('takes the death of the holder for no excuse', () => {
    const history = [hold({ end: 'died' }), acquire({ queued: 50, completed: 1_500 })]
    const death = fault({ kind: 'holder killed', target: 'a', from: 100, until: 100, breaks: false })
    expect(messages(handovers([...history, death], bounds).verdict)).toEqual([
      expect.stringMatching(/1400 ms from a \(died/),
    ])
    const sooner = [
      hold({ end: 'died' }),
      acquire({ queued: 150, completed: 700 }),
      { ...death, from: 200, until: 200 },
    ]
    expect(handovers(sooner, bounds)).toMatchObject({ died: [500], verdict: { violations: [] } })
  })

  test('puts durations between bounds', () => {
    expect(histogram([1, 2, 3, 10, 99], [2, 10])).toEqual([2, 2, 1])
  })
})

test('residue is whatever is left', () => {
  expectClean(residue([{ where: 'store', what: [] }], 0))
  expect(messages(residue([{ where: 'store', what: ['key'] }], 0))).toEqual(['store: key'])
})

describe('the chance of success', () => {
  const series = (failures: Series['failures'], succeeded: boolean): Series => ({ tries: 3, failures, succeeded })

  test('has the interval that Wilson gives', () => {
    const { low, high } = wilson({ hits: 8, of: 10 })
    expect([low, high]).toEqual([expect.closeTo(0.4902, 3), expect.closeTo(0.9433, 3)])
    expect(wilson({ hits: 0, of: 0 })).toEqual({ low: 0, high: 1 })
    expect(wilson({ hits: 0, of: 20 }).low).toBe(0)
    expect(wilson({ hits: 20, of: 20 }).high).toBe(1)
  })

  test('agrees with independent tries', () => {
    const tries = [series([], true), series([], true), series(['busy'], true), series(['busy'], true)]
    expect(success(tries)).toMatchObject({ busy: 0.5, down: 0, predicted: 0.875, agrees: true })
  })

  test('does not agree where what makes a try fail lasts longer than all of them', () => {
    const lasting = Array.from({ length: 100 }, (_, at) =>
      at % 2 === 0 ? series([], true) : series(['down', 'down', 'down'], false),
    )
    expect(success(lasting)).toMatchObject({
      down: 0.5,
      predicted: 0.875,
      agrees: false,
      measured: { hits: 50, of: 100 },
    })
  })
})

describe('leaders as observed', () => {
  const campaign = (given: Partial<Acquire> = {}) => acquire({ elects: true, ...given })
  const observed = (given: Partial<Observed> = {}): Observed => ({
    action: 'observed',
    client: 'a',
    observation: 1,
    name: 'n',
    at: 20,
    leader: null,
    ...given,
  })
  const messages = (history: History) => leaders(history).violations.map(({ message }) => message)
  const [one, two] = [campaign({ token: '1' }), campaign({ token: '2', invoked: 15, completed: 25 })]
  const led = (by: Acquire, at: number, client = 'a') =>
    observed({ leader: by.id, at, client, ...(by.token !== undefined && { token: by.token }) })

  test('leaders in their order, and nobody in between, are no finding', () => {
    const history = [one, two, observed({ at: 5 }), led(one, 12), observed({ at: 18 }), led(two, 30), led(one, 40, 'b')]
    expect(leaders(history)).toMatchObject({ checked: 5, violations: [], excused: [] })
  })

  test('a leader that comes back after a later one is, unless the store may forget', () => {
    const history = [one, two, led(two, 30), led(one, 40)]
    expect(messages(history)).toEqual(['a saw token 1 lead after token 2'])
    const forgets = fault({ from: 20, until: 50, forgets: true })
    expect(leaders([...history, forgets])).toMatchObject({ violations: [], excused: [{ by: forgets.kind }] })
    expect(messages([one, two, led(two, 30), observed({ at: 35 }), led(one, 40)])).toHaveLength(1)
    const [x, y] = [campaign(), campaign({ invoked: 15 })]
    expect(messages([x, y, led(x, 20), led(y, 30), led(x, 40)])).toEqual([`a saw ${x.id} lead again`])
    expect(messages([x, led(x, 20), observed({ at: 30 }), led(x, 40)])).toEqual([`a saw ${x.id} lead again`])
    const z = campaign({ completed: 40 })
    expect(messages([z, led(z, 20), observed({ at: 30 }), led(z, 40)])).toEqual([])
  })

  test('so is one that had not asked, or asked for another name, and one that is told twice in a row', () => {
    expect(messages([one, observed({ leader: 99_999, at: 30 })])).toEqual(['a saw 99999 lead, who had not asked to'])
    expect(messages([one, observed({ leader: one.id, at: 30, name: 'other' })])).toHaveLength(1)
    expect(messages([two, led(two, 10)])).toHaveLength(1)
    expect(messages([one, led(one, 30), led(one, 40)])).toEqual([`a saw ${one.id} twice in a row`])
    expect(messages([observed({ at: 1 }), observed({ at: 2 })])).toEqual(['a saw nobody twice in a row'])
    expect(messages([observed({ at: 1 }), observed({ at: 2, observation: 2 })])).toEqual([])
  })

  test('a leader that its own observer does not see in time after a heal is', () => {
    const probe = campaign({ probe: true, invoked: 100, completed: 110, token: '3' })
    const heal = { action: 'heal', at: 90, until: 150, deadline: 200 } as const
    expect(leaders([probe, heal, led(probe, 120)])).toMatchObject({ checked: 2, violations: [] })
    expect(messages([probe, heal, led(probe, 120, 'b')])).toEqual(['a led and was not seen to by its own observer'])
    expect(messages([probe, heal, led(probe, 201)])).toHaveLength(1)
    expect(messages([probe, led(probe, 201)])).toEqual([])
  })
})
