import { blockers, checkKind, granted, type Contender } from '@locks/core/backend'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

const lockQueue = fc.array(fc.record({ mode: fc.constantFrom('exclusive' as const, 'shared' as const) }), {
  maxLength: 12,
})
const semaphoreQueue = fc.integer({ min: 1, max: 6 }).chain((permits) =>
  fc.array(
    fc.record({
      mode: fc.constant('permit' as const),
      permits: fc.constant(permits),
      weight: fc.integer({ min: 1, max: permits }),
    }),
    { maxLength: 12 },
  ),
)
const queues: fc.Arbitrary<Contender[]> = fc.oneof(lockQueue, semaphoreQueue)

const weight = (contenders: readonly Contender[]): number =>
  contenders.reduce((sum, { weight: own }) => sum + (own ?? 1), 0)

/** The contract in its plainest words, to hold the fast answer against. */
function compatible(holders: readonly Contender[]): boolean {
  if (holders.some(({ mode }) => mode === 'exclusive')) return holders.length === 1
  const limit = holders.find(({ mode }) => mode === 'permit')?.permits
  return limit === undefined || weight(holders) <= limit
}

describe('granted', () => {
  test('never grants two that conflict', () => {
    fc.assert(fc.property(queues, (queue) => compatible(granted(queue))))
  })

  test('grants a run from the front: nobody overtakes', () => {
    fc.assert(
      fc.property(queues, (queue) => {
        const holders = granted(queue)
        expect(holders).toEqual(queue.slice(0, holders.length))
      }),
    )
  })

  test('grants as many as it can: the next one would conflict', () => {
    fc.assert(
      fc.property(queues, (queue) => {
        const count = granted(queue).length
        return count === queue.length || !compatible(queue.slice(0, count + 1))
      }),
    )
  })

  test('takes nothing back when somebody leaves', () => {
    fc.assert(
      fc.property(queues, fc.nat(), (queue, choice) => {
        if (queue.length === 0) return
        const before = granted(queue)
        const gone = queue[choice % queue.length]
        const after = granted(queue.filter((each) => each !== gone))
        for (const holder of before) if (holder !== gone) expect(after).toContain(holder)
      }),
    )
  })
})

describe('blockers', () => {
  const position = queues.chain((queue) => fc.tuple(fc.constant(queue), fc.nat(Math.max(0, queue.length - 1))))

  test('are nobody exactly for those that are granted', () => {
    fc.assert(
      fc.property(position, ([queue, index]) => {
        if (queue.length === 0) return
        const holds = granted(queue).includes(queue[index] as Contender)
        // A waiter may wait only for another waiter, so the decision is made over everything ahead.
        const alone = granted(queue.slice(0, index + 1)).length === index + 1
        expect(holds).toBe(alone)
        expect(blockers(queue, index).length === 0).toBe(alone)
      }),
    )
  })

  test('tell the truth: while all of them stay, no departure of others lets the contender in', () => {
    fc.assert(
      fc.property(position, ([queue, index]) => {
        if (queue.length === 0) return
        const watched = blockers(queue, index)
        if (watched.length === 0) return
        expect(granted([...watched, queue[index] as Contender])).not.toContain(queue[index])
      }),
    )
  })

  test('are as few as can be: without any one of them the contender could be let in unseen', () => {
    fc.assert(
      fc.property(position, ([queue, index]) => {
        if (queue.length === 0) return
        const watched = blockers(queue, index)
        for (const one of watched) {
          const rest = watched.filter((each) => each !== one)
          expect(granted([...rest, queue[index] as Contender])).toContain(queue[index])
        }
      }),
    )
  })

  test('an exclusive one watches its predecessor only, so that a departure wakes one waiter', () => {
    const queue: Contender[] = [{ mode: 'shared' }, { mode: 'shared' }, { mode: 'exclusive' }]
    expect(blockers(queue, 2)).toEqual([queue[1]])
  })

  test('an index outside of the queue is an error', () => {
    expect(() => blockers([], 0)).toThrow(RangeError)
  })
})

describe('checkKind', () => {
  test('lets locks and semaphores of one limit meet, and nothing else', () => {
    const semaphore = (permits: number): Contender => ({ mode: 'permit', permits })
    expect(() => checkKind('a', { mode: 'shared' }, { mode: 'exclusive' })).not.toThrow()
    expect(() => checkKind('a', semaphore(2), undefined)).not.toThrow()
    expect(() => checkKind('a', semaphore(2), semaphore(2))).not.toThrow()
    expect(() => checkKind('a_20b', semaphore(2), semaphore(3))).toThrow('"a b" is a semaphore of 3')
    expect(() => checkKind('a', { mode: 'shared' }, semaphore(3))).toThrow('cannot be a lock')
  })
})
