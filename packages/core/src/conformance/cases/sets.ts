import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Lock } from '../../lock.ts'
import type { LockManager } from '../../manager.ts'
import type { LockEvents } from '../../telemetry.ts'
import type { Case } from '../case.ts'
import { thrown, type Context } from '../context.ts'
import type { Wire } from '../harness.ts'

/** The same numbers from 0 to 1 in every run. */
function seeded(state: number): () => number {
  let at = state
  return () => {
    at = (Math.imul(at, 1_664_525) + 1_013_904_223) >>> 0
    return at / 2 ** 32
  }
}

function shuffled<T>(list: readonly T[], random: () => number): T[] {
  const keyed = list.map((item) => ({ item, key: random() }))
  return keyed.toSorted((one, other) => one.key - other.key).map(({ item }) => item)
}

/** A rival's lock on a name that the store took from its holder, who knows of it, and was not there to ask for it again. */
async function robbed(t: Context, wire: Wire, rival: LockManager, name: string): Promise<Lock> {
  const lost: unknown[] = []
  const note = (message: unknown) => void lost.push(...(message as LockEvents['locks:lost']).attempt.names)
  subscribe('locks:lost', note)
  t.defer(() => unsubscribe('locks:lost', note))
  await wire.silence()
  await t.evict(name)
  const lock = await rival.acquire(name)
  await wire.heal()
  await t.until('the loss is known', () => lost.includes(name))
  return lock
}

export const sets: readonly Case[] = [
  {
    id: 'sets/one-handle',
    line: 1,
    title: 'several names are held together behind one handle, and released together',
    async run(t) {
      const [a, b] = [await t.open(), await t.open()]
      const names = [t.name(), t.name(), t.name()]
      const set = await a.acquireAll(names)
      assert.deepEqual(set.names, names)
      assert.deepEqual([set.held, set.atRisk, set.signal.aborted], [true, false, false])
      assert.ok(set.expiresAt > performance.now())
      set.assertHeld()
      for (const name of names) assert.equal(await b.tryAcquire(name), null)
      assert.equal(await set.release(), 'released')
      assert.equal(await set.release(), 'released')
      assert.deepEqual([set.held, set.signal.aborted], [false, false])
      await t.fails(() => set.assertHeld(), 'RELEASED')
      for (const name of names) assert.ok(await b.tryAcquire(name))
    },
  },
  {
    id: 'sets/names-are-copied',
    line: 1,
    title: 'a list that is changed after the call changes nothing, and disposing of the set releases it',
    async run(t) {
      const [a, b] = [await t.open(), await t.open()]
      const names = [t.name(), t.name()]
      const list = [...names]
      const call = a.acquireAll(list)
      list.reverse().push(t.name())
      const set = await call
      assert.deepEqual(set.names, names)
      await set[Symbol.asyncDispose]()
      for (const name of names) assert.ok(await b.tryAcquire(name))
    },
  },
  {
    id: 'sets/tokens',
    line: 2,
    title: 'a set has a token for each name, higher than every earlier one of that name and lower than every later one',
    requires: { fencing: 'volatile' },
    async run(t) {
      const [a, b] = [await t.open(), await t.open()]
      const names = [t.name(), t.name(), t.name()]
      const last = new Map<string, bigint>()
      const rises = (name: string, token: bigint | undefined) => {
        assert.ok(token !== undefined && token > (last.get(name) ?? -1n), `${name}: ${token} after ${last.get(name)}`)
        last.set(name, token)
      }
      for (const order of [names, names.toReversed(), names.slice(1)]) {
        for (const name of names) {
          const lock = await b.acquire(name)
          rises(name, lock.token)
          await lock.release()
        }
        const set = await a.acquireAll(order)
        assert.deepEqual([...set.tokens.keys()].toSorted(), order.toSorted())
        for (const name of order) rises(name, set.tokens.get(name))
        await set.release()
      }
    },
  },
  {
    id: 'sets/all-or-nothing',
    line: 1,
    title: 'a set that cannot be had at once leaves nothing behind, whichever of its names is held',
    async run(t) {
      const [a, b] = [await t.open(), await t.open()]
      const names = [t.name(), t.name(), t.name()]
      for (const name of names) {
        const held = await b.acquire(name)
        await t.fails(a.acquireAll(names, { timeout: 0 }), 'TIMEOUT')
        for (const other of names.filter((each) => each !== name))
          await (await b.acquire(other, { timeout: 5_000 })).release()
        await held.release()
        for (const name of names) await t.empty(b, name)
      }
    },
  },
  {
    id: 'sets/waits',
    line: 1,
    title: 'a set waits while any of its names is held, and is whole when it comes',
    async run(t) {
      const [a, b] = [await t.open(), await t.open()]
      const names = [t.name(), t.name(), t.name()]
      const held = await Promise.all(names.map((name) => b.acquire(name)))
      let whole = false
      const call = a.acquireAll(names)
      call.then(
        () => (whole = true),
        () => {},
      )
      for (const [at, lock] of held.entries()) {
        const waits = async () =>
          (await Promise.all(names.map((name) => b.query(name)))).some(({ pending }) => pending.length > 0)
        await t.until('the set waits', waits)
        assert.equal(whole, false, `granted while ${held.length - at} names were held`)
        await lock.release()
      }
      const set = await call
      assert.equal(set.held, true)
      for (const name of names) assert.equal(await b.tryAcquire(name), null)
    },
  },
  {
    id: 'sets/opposite-orders',
    line: 1,
    title: 'clients that name the same locks in random orders exclude each other and never deadlock',
    async run(t) {
      const clients = [await t.open(), await t.open(), await t.open(), await t.open()]
      const names = Array.from({ length: 5 }, () => t.name())
      const random = seeded(42)
      const inside = new Map<string, number>()
      let [most, served] = [0, 0]
      const contend = async (locks: LockManager) => {
        for (let round = 0; round < 10; round++) {
          const set = await locks.acquireAll(shuffled(names, random).slice(0, 2 + Math.floor(random() * 3)))
          for (const name of set.names) {
            inside.set(name, (inside.get(name) ?? 0) + 1)
            most = Math.max(most, inside.get(name) ?? 0)
          }
          await new Promise((resolve) => setImmediate(resolve))
          for (const name of set.names) inside.set(name, (inside.get(name) ?? 0) - 1)
          await set.release()
          served++
        }
      }
      const all = Promise.all([...clients, ...clients].map(contend))
      await t.settles(all, 45_000)
      await all
      assert.deepEqual({ most, served }, { most: 1, served: 80 })
    },
  },
  {
    id: 'sets/crossing',
    line: 1,
    title: 'two sets that name the same two locks in opposite orders are both served, whichever is freed first',
    async run(t) {
      const [a, b, c] = [await t.open(), await t.open(), await t.open()]
      const [one, other] = [t.name(), t.name()]
      for (const order of [
        [one, other],
        [other, one],
      ]) {
        const held = await Promise.all(order.map((name) => c.acquire(name)))
        const outcome = Promise.all([
          a.acquireAll([one, other]).then((set) => set.release()),
          b.acquireAll([other, one]).then((set) => set.release()),
        ])
        const waiting = async () => (await c.query(one)).pending.length + (await c.query(other)).pending.length
        await t.until('both wait', async () => (await waiting()) >= 2)
        for (const lock of held) await lock.release()
        await t.settles(outcome, 5_000)
        assert.deepEqual(await outcome, ['released', 'released'])
      }
    },
  },
  {
    id: 'sets/not-starved',
    line: 13,
    title: 'a waiting set is served before those who ask later for the name that it waits for',
    requires: { order: 'fifo' },
    async run(t) {
      const [a, b, c] = [await t.open(), await t.open(), await t.open()]
      const names = [t.name(), t.name()] as const
      for (const name of names) {
        const held = await b.acquire(name)
        const order: string[] = []
        const set = a.acquireAll(names)
        set.then(
          () => order.push('set'),
          () => {},
        )
        await t.queued(b, name, 1)
        assert.equal(await c.tryAcquire(name), null)
        const later = c.request(name, () => order.push('later'))
        await t.queued(b, name, 2)
        await held.release()
        await (await set).release()
        await later
        assert.deepEqual(order, ['set', 'later'])
      }
    },
  },
  {
    id: 'sets/timeout',
    line: 11,
    title: 'a set whose time-out passes gives back what it had and leaves nothing at the store',
    async run(t) {
      const [a, b] = [await t.open(), await t.open()]
      const names = [t.name(), t.name(), t.name()]
      for (const name of names) {
        const held = await b.acquire(name)
        await t.fails(a.acquireAll(names, { timeout: 100 }), 'TIMEOUT')
        assert.equal(held.held, true)
        await held.release()
        for (const name of names) await t.empty(b, name)
      }
    },
  },
  {
    id: 'sets/abort',
    line: 11,
    title: 'aborting the wait for a set rejects with the very reason and leaves nothing at the store',
    async run(t) {
      const [a, b] = [await t.open(), await t.open()]
      const names = [t.name(), t.name(), t.name()]
      for (const name of names) {
        const held = await b.acquire(name)
        const controller = new AbortController()
        const call = a.acquireAll(names, { signal: controller.signal })
        await t.queued(b, name, 1)
        const reason = new Error('mine')
        const aborted = thrown(call)
        controller.abort(reason)
        await t.settles(call, 2_000)
        assert.equal(await aborted, reason)
        await held.release()
        for (const name of names) await t.empty(b, name)
      }
      const signal = AbortSignal.abort('before')
      assert.equal(await thrown(a.acquireAll(names, { signal })), 'before')
      const controller = new AbortController()
      const set = await a.acquireAll(names, { signal: controller.signal })
      controller.abort()
      assert.deepEqual([set.held, set.signal.aborted], [true, false])
    },
  },
  {
    id: 'sets/lost',
    line: 17,
    title: 'the loss of one name is the loss of the set, and its release frees the others',
    async run(t) {
      const [a, b] = [await t.open({ ttl: t.ttl }), await t.open()]
      const names = [t.name(), t.name(), t.name()]
      for (const name of names) {
        const set = await a.acquireAll(names)
        let aborts = 0
        set.signal.addEventListener('abort', () => aborts++)
        await t.evict(name)
        await t.until('the set is lost', () => set.signal.aborted)
        assert.equal(set.held, false)
        assert.equal((await t.fails(() => set.assertHeld(), 'LOST')).code, 'LOST')
        await t.fails(Promise.reject(set.signal.reason), 'LOST')
        assert.equal(await set.release(), 'lost')
        for (const name of names) await t.empty(b, name)
        assert.equal(aborts, 1)
      }
    },
  },
  {
    id: 'sets/lost-while-waiting',
    line: 5,
    title: 'a set of which a name is lost while others are waited for is not given out: it waits for that one again',
    async run(t) {
      const { locks: a, wire } = await t.openWired({ ttl: t.ttl })
      const b = await t.open()
      const names = [t.name(), t.name()] as const
      for (const [awaited, other] of [names, names.toReversed() as [string, string]]) {
        const held = await b.acquire(awaited)
        const call = a.acquireAll(names)
        await t.queued(b, awaited, 1)
        // Held, where sets are taken name by name and this is the first one.
        const taken = (await b.query(other)).held.length > 0
        const rival = taken ? await robbed(t, wire, b, other) : undefined
        await held.release()
        if (rival) await t.until('the set waits again', async () => (await b.query(other)).pending.length === 1)
        await rival?.release()
        const set = await call
        assert.equal(set.held, true)
        for (const name of names) assert.equal(await b.tryAcquire(name), null)
        await set.release()
        for (const name of names) await t.empty(b, name)
      }
    },
  },
  {
    id: 'sets/shared',
    line: 1,
    title: 'shared sets may overlap, and exclude exclusive ones',
    requires: { shared: true },
    async run(t) {
      const [a, b] = [await t.open(), await t.open()]
      const names = [t.name(), t.name(), t.name()]
      const first = await a.acquireAll(names.slice(0, 2), { mode: 'shared' })
      const second = await b.acquireAll(names.slice(1), { mode: 'shared' })
      assert.deepEqual([first.held, second.held], [true, true])
      await t.fails(b.acquireAll(names, { timeout: 0 }), 'TIMEOUT')
      await first.release()
      assert.equal(await a.tryAcquire(names[1]!), null)
      await second.release()
      await (await a.acquireAll(names, { timeout: 10_000 })).release()
    },
  },
  {
    id: 'sets/kind',
    line: 21,
    title: 'a set with a name that is a semaphore is refused and leaves nothing behind',
    requires: { semaphore: true },
    async run(t) {
      const [a, b] = [await t.open(), await t.open()]
      const names = [t.name(), t.name()]
      for (const name of names) {
        const permit = await b.acquire(name, { permits: 2 })
        await t.fails(a.acquireAll(names), 'INVALID_ARGUMENT')
        await permit.release()
        for (const name of names) await t.empty(b, name)
      }
    },
  },
  {
    id: 'sets/not-re-entrant',
    line: 8,
    title: 'a set waits for a name that its own client holds',
    async run(t) {
      const locks = await t.open()
      const names = [t.name(), t.name()]
      const held = await locks.acquire(names[1]!)
      await t.fails(locks.acquireAll(names, { timeout: 50 }), 'TIMEOUT')
      const call = locks.acquireAll(names)
      await t.queued(locks, names[1]!, 1)
      await held.release()
      const set = await call
      assert.equal(await locks.tryAcquire(names[0]!), null)
      assert.equal(await set.release(), 'released')
    },
  },
]
