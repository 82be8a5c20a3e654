import { LockError, LockManager, type Lock } from '@locks/core'
import { wired, type Wire } from '@locks/core/conformance'
import { memory } from '@locks/core/memory'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Backend, Random } from '@locks/core/backend'
import { FakeClock, settled } from './fake-clock.ts'
import { sharedLease } from './shared-lease.ts'

const ttl = 1_000
const clients = 3

type Act = 'acquire' | 'try' | 'release' | 'abort' | 'silence' | 'drop' | 'cut' | 'deafen' | 'heal' | 'end'
type Step = { do: Act; client: number } | { do: 'pass' | 'stall'; ms: number }

const client = fc.nat(clients - 1)
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constantFrom('acquire' as const, 'try' as const), client }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('release' as const), client }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('abort' as const), client }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom('silence' as const, 'drop' as const, 'cut' as const, 'deafen' as const, 'end' as const),
      client,
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('heal' as const), client }) },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constantFrom('pass' as const, 'stall' as const), ms: fc.nat(2 * ttl) }),
  },
)

interface Client {
  readonly locks: LockManager
  readonly wire: Wire
  readonly held: Lock[]
  readonly aborts: AbortController[]
}

type Kind = (backend: Backend, clock: FakeClock, random: Random) => Backend

/** Chance that is the same in every run, so that a schedule that fails fails again. */
function seeded(): Random {
  let state = 1
  let ids = 0
  const unit = () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647
  return { unit, id: () => `id${++ids}` }
}

/** Several clients of one store, each over a line of its own, on one clock that the test moves. */
class World {
  readonly clock = new FakeClock()
  readonly clients: readonly Client[]
  readonly #pending = new Set<Promise<unknown>>()
  readonly granted: Lock[] = []
  /** How many were returned after their own deadline. */
  late = 0

  constructor(kind: Kind) {
    const store = memory()
    const random = seeded()
    this.clients = Array.from({ length: clients }, () => {
      const { backend, wire } = wired(store)
      const locks = new LockManager(kind(backend, this.clock, random), { clock: this.clock, random, ttl })
      return { locks, wire, held: [], aborts: [] }
    })
  }

  get pending(): number {
    return this.#pending.size
  }

  async take(step: Step): Promise<void> {
    if ('client' in step) await this.#act(step.do, this.clients[step.client] as Client)
    else if (step.do === 'pass') await this.clock.advance(step.ms)
    else this.clock.stall(step.ms)
    await settled()
  }

  /** Lets time pass until a promise settles. */
  async finish<T>(promise: Promise<T> | undefined): Promise<T | undefined> {
    let done = false
    const mark = () => (done = true)
    promise?.then(mark, mark)
    for (let rounds = 0; !done && rounds < 100; rounds++) await this.clock.advance(ttl)
    expect(done).toBe(true)
    return promise
  }

  /** Whoever believes to hold the lock at this moment. */
  holders(): Lock[] {
    return this.granted.filter((lock) => lock.held)
  }

  async #act(what: Act, at: Client): Promise<void> {
    const { locks, wire } = at
    if (what === 'acquire') {
      const abort = new AbortController()
      at.aborts.push(abort)
      this.#note(at, locks.acquire('name', { signal: abort.signal }))
    } else if (what === 'try') this.#note(at, locks.tryAcquire('name'))
    else if (what === 'release') void at.held.shift()?.release()
    else if (what === 'abort') at.aborts.shift()?.abort()
    else if (what === 'drop') await wire.dropAnswers()
    else if (what === 'end') void wire.end()
    else await wire[what]()
  }

  #note(at: Client, call: Promise<Lock | null>): void {
    const settle = call.then(
      (lock) => {
        if (!lock) return
        if (!lock.held && LockError.find(lock.signal.reason)?.reason === 'expired') this.late++
        at.held.push(lock)
        this.granted.push(lock)
      },
      () => {},
    )
    this.#pending.add(settle)
    void settle.then(() => this.#pending.delete(settle))
  }
}

const runs = fc.array(step, { minLength: 5, maxLength: 60, size: 'max' })

const kinds: Record<string, Kind> = {
  'entries that expire, calls in order': (backend) => backend,
  'entries that live with their session, calls without order': sharedLease,
}

describe.each(Object.entries(kinds))('%s', (_, kind) => {
  test('whatever happens to clients, lines and time, two never hold one lock, and tokens rise', async () => {
    await fc.assert(
      fc.asyncProperty(runs, async (steps) => {
        const world = new World(kind)
        for (const each of steps) {
          await world.take(each)
          expect(world.holders().length).toBeLessThanOrEqual(1)
        }
        const tokens = world.granted.map(({ token }) => token)
        // Grants may be learnt of in another order than they were made, but no token is ever given twice.
        expect(new Set(tokens).size).toBe(tokens.length)
        expect(world.late).toBe(0)
        const holder = world.holders()[0]
        if (holder) expect(tokens.every((token) => token <= holder.token)).toBe(true)
        await world.finish(Promise.all(world.clients.map(({ locks }) => locks.close())))
      }),
      { numRuns: 300 },
    )
  })

  test('when everything is healed everybody is served, and nothing stays behind', async () => {
    await fc.assert(
      fc.asyncProperty(runs, async (steps) => {
        const world = new World(kind)
        for (const each of steps) await world.take(each)
        for (const { wire } of world.clients) await wire.heal()
        for (let rounds = 0; world.pending > 0 || world.holders().length > 0; rounds++) {
          expect(rounds).toBeLessThan(500)
          for (const { held } of world.clients) while (held.length > 0) void held.shift()?.release()
          await world.clock.advance(ttl / 4)
        }
        await world.clock.advance(3 * ttl)
        expect(await world.finish(world.clients[0]?.locks.query())).toEqual({ held: [], pending: [] })
        await world.finish(Promise.all(world.clients.map(({ locks }) => locks.close())))
        await world.clock.advance(ttl)
        expect(world.clock.timers).toBe(0)
      }),
      { numRuns: 300 },
    )
  })
})
