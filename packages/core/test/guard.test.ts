import { admit, LockError, LockManager, MemoryGuard, type Bearer, type Lock } from '@locks/core'
import { memory } from '@locks/core/memory'
import { describe, expect, test } from 'vitest'
import { FakeClock } from './fake-clock.ts'

const exclusive = (token: bigint): Bearer => ({ token, mode: 'exclusive' })
const shared = (token: bigint): Bearer => ({ token, mode: 'shared' })
const fenced = { code: 'LOST', reason: 'fenced' }

describe('the rule', () => {
  test.for([
    ['an exclusive holder comes again', [exclusive(5n), exclusive(5n)], true],
    ['an exclusive holder after a newer one', [exclusive(6n), exclusive(5n)], false],
    ['an exclusive holder after a newer reader', [shared(6n), exclusive(5n)], false],
    ['a reader after a newer exclusive holder', [exclusive(6n), shared(5n)], false],
    ['a reader after a newer reader', [shared(6n), shared(5n)], true],
    ['a reader between two exclusive holders', [exclusive(4n), shared(6n), shared(5n), exclusive(7n)], true],
    ['an older reader does not let older writers in', [shared(6n), shared(4n), exclusive(5n)], false],
    ['tokens beyond 2^53', [exclusive(2n ** 53n + 1n), exclusive(2n ** 53n)], false],
    ['tokens beyond 2^64', [exclusive(2n ** 64n), shared(2n ** 64n + 1n), exclusive(2n ** 64n + 2n)], true],
  ] as const)('%s', ([, all, admitted]) => {
    const guard = new MemoryGuard()
    const last = all.at(-1) as Bearer
    for (const each of all.slice(0, -1)) guard.enter(each)
    if (admitted) guard.enter(last)
    else expect(() => guard.enter(last)).toThrow(expect.objectContaining(fenced))
  })

  test('whoever is refused changes nothing', () => {
    const guard = new MemoryGuard()
    guard.enter(shared(7n))
    expect(() => guard.enter(exclusive(5n))).toThrow('the token 5 is out of date: a newer holder has been here, with 7')
    guard.enter(shared(4n))
  })

  test('is at hand for resources that keep what they have seen', () => {
    expect(admit(exclusive(5n))).toEqual({ newest: 5n, exclusive: 5n })
    expect(admit(shared(7n), { newest: 5n, exclusive: 5n })).toEqual({ newest: 7n, exclusive: 5n })
    expect(() => admit(exclusive(6n), { newest: 7n, exclusive: 5n })).toThrow(LockError)
  })
})

describe('what cannot be judged is refused', () => {
  test('a permit, also of a real semaphore', async () => {
    const locks = new LockManager(memory())
    const permit = await locks.acquire('pool', { permits: 2 })
    const enter = () => new MemoryGuard().enter(permit)
    expect(enter).toThrow(expect.objectContaining({ code: 'UNSUPPORTED' }))
    expect(enter).toThrow(/fences nothing/)
    await locks.close()
  })

  test.for([
    [{ token: 5, mode: 'exclusive' }, /a token is a bigint from 0; got 5/],
    [{ token: -1n, mode: 'exclusive' }, /a token is a bigint from 0; got -1/],
    [{ token: 5n }, /an exclusive or shared lock, or \{ token, mode \}/],
    [5n, /got 5/],
    [undefined, /got undefined/],
  ] as const)('%o', ([given, says]) => {
    const enter = () => new MemoryGuard().enter(given as Bearer)
    expect(enter).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
    expect(enter).toThrow(says)
  })

  test('a set, whose names have a token each', async () => {
    const locks = new LockManager(memory())
    const set = await locks.acquireAll(['a', 'b'])
    const guard = new MemoryGuard()
    expect(() => guard.enter(set as unknown as Bearer)).toThrow(/of a set, for one of its names/)
    guard.enter({ token: set.tokens.get('a') ?? 0n, mode: 'exclusive' })
    await locks.close()
  })
})

describe('a holder that stands still past its ttl, and then writes', () => {
  /** A count that two holders add one to. The first stands still before it writes, and does not ask `held`. */
  async function play(begin: (guard: MemoryGuard, lock: Lock) => void) {
    const clock = new FakeClock()
    const backend = memory()
    const [locks, others] = [new LockManager(backend, { clock }), new LockManager(backend, { clock })]
    const guard = new MemoryGuard()
    const outcomes: string[] = []
    let count = 0
    const write = (lock: Lock, value: number) => {
      try {
        guard.enter(lock)
        count = value
        outcomes.push('written')
      } catch (error) {
        if (!LockError.is(error, 'LOST')) throw error
        outcomes.push('refused')
      }
    }
    const first = await locks.acquire('count')
    begin(guard, first)
    const found = count
    clock.stall(20_000)
    const second = await others.acquire('count')
    begin(guard, second)
    const foundNext = count
    write(first, found + 1)
    write(second, foundNext + 1)
    await Promise.all([locks.close(), others.close()])
    return { outcomes, count }
  }

  test('undoes or loses an update where holders enter only to write', async () => {
    expect(await play(() => {})).toEqual({ outcomes: ['written', 'written'], count: 1 })
  })

  test('is refused where they enter before they read, although the next one has not written yet', async () => {
    expect(await play((guard, lock) => guard.enter(lock))).toEqual({ outcomes: ['refused', 'written'], count: 1 })
  })
})
