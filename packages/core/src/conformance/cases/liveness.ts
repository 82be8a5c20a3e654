import assert from 'node:assert/strict'
import { LockError } from '../../errors.ts'
import type { Holding, Lock } from '../../lock.ts'
import type { Case } from '../case.ts'
import { pause, thrown } from '../context.ts'

export const liveness: readonly Case[] = [
  {
    id: 'liveness/notified',
    line: 12,
    title: 'a waiter is told of its turn, and does not have to wait for its next renewal',
    async run(t) {
      const [a, b] = [await t.open(), await t.open()]
      const name = t.name()
      // Five turns, each of which would take a third of the ttl, 6.7 s, if only the renewal found it.
      for (let round = 0; round < 5; round++) {
        const lock = await a.acquire(name)
        const waiting = b.acquire(name)
        await t.queued(a, name, 1)
        const released = lock.release()
        await t.settles(waiting, 5_000)
        await released
        await (await waiting).release()
      }
    },
  },
  {
    id: 'liveness/lost-notification',
    line: 12,
    title: 'a notification that is lost costs a bounded delay and not the lock',
    async run(t) {
      const { locks, wire } = await t.openWired({ ttl: t.ttl })
      const other = await t.open()
      const name = t.name()
      const first = await other.acquire(name)
      const waiting = locks.acquire(name)
      await t.queued(other, name, 1)
      await wire.deafen()
      await first.release()
      await t.settles(waiting, 2 * t.ttl)
      const lock = await waiting
      assert.equal(lock.held, true)
      await pause(t.ttl / 2)
      assert.equal(lock.held, true)
      assert.equal(await lock.release(), 'released')
    },
  },
  {
    id: 'liveness/killed-holder',
    line: 15,
    title: 'after kill -9 of the holder the next waiter has the lock within ttl + takeover',
    requires: { scope: 'machine' },
    async run(t) {
      const [a, b] = [await t.open(), await t.open({ ttl: t.ttl })]
      const name = t.name()
      const remote = await t.spawn({ ttl: t.ttl })
      await remote.acquire(name)
      const waiting = a.acquire(name)
      await t.queued(b, name, 1)
      await remote.kill()
      await t.settles(waiting, t.ttl + t.capabilities.takeover)
      assert.equal(await b.tryAcquire(name), null)
    },
  },
  {
    id: 'liveness/killed-process',
    line: 15,
    title: 'kill -9 of a process frees all that it held, shared locks and permits too',
    requires: { scope: 'machine', shared: true, semaphore: true },
    async run(t) {
      const locks = await t.open()
      const [exclusive, shared, semaphore] = [t.name(), t.name(), t.name()]
      const remote = await t.spawn({ ttl: t.ttl })
      await remote.acquire(exclusive)
      await remote.acquire(shared, { mode: 'shared' })
      await remote.acquire(semaphore, { permits: 2, weight: 2 })
      await remote.kill()
      const waiting = [locks.acquire(exclusive), locks.acquire(shared), locks.acquire(semaphore, { permits: 2 })]
      await t.settles(Promise.all(waiting), t.ttl + t.capabilities.takeover)
      for (const each of waiting) assert.equal((await each).held, true)
    },
  },
  {
    id: 'liveness/killed-waiter',
    line: 14,
    title: 'a killed waiter does not block those behind it for longer than ttl + takeover',
    requires: { scope: 'machine' },
    async run(t) {
      const [a, b] = [await t.open(), await t.open()]
      const name = t.name()
      const first = await a.acquire(name)
      const remote = await t.spawn({ ttl: t.ttl })
      const dead = thrown(remote.acquire(name))
      await t.queued(a, name, 1)
      const next = b.acquire(name)
      await t.queued(a, name, 2)
      await remote.kill()
      await dead
      await first.release()
      await t.settles(next, t.ttl + t.capabilities.takeover)
      assert.equal((await next).held, true)
    },
  },
  {
    id: 'liveness/killed-between',
    line: 14,
    title:
      'a waiter that dies between holders and waiters it alone kept apart lets them together, though nobody releases',
    requires: { scope: 'machine', shared: true, order: 'fifo' },
    async run(t) {
      const [a, b] = [await t.open(), await t.open()]
      const name = t.name()
      const reader = await a.acquire(name, { mode: 'shared' })
      const remote = await t.spawn({ ttl: t.ttl })
      const dead = thrown(remote.acquire(name))
      await t.queued(a, name, 1)
      const next = b.acquire(name, { mode: 'shared' })
      await t.queued(a, name, 2)
      await remote.kill()
      await dead
      await t.settles(next, t.ttl + t.capabilities.takeover)
      assert.deepEqual([reader.held, (await next).held], [true, true])
    },
  },
  {
    id: 'liveness/silent-waiter',
    line: 14,
    title: 'a waiter that falls silent does not block those behind it for longer than ttl + takeover',
    async run(t) {
      const { locks, wire } = await t.openWired({ ttl: t.ttl })
      const [a, b] = [await t.open(), await t.open()]
      const name = t.name()
      const first = await a.acquire(name)
      const silent = locks.acquire(name)
      await t.queued(a, name, 1)
      const next = b.acquire(name)
      await t.queued(a, name, 2)
      await wire.silence()
      await first.release()
      await t.settles(next, t.ttl + t.capabilities.takeover)
      await wire.heal()
      assert.equal((await next).held, true)
      await (await next).release()
      await t.settles(silent, 10_000)
      assert.equal((await silent).held, true)
    },
  },
  {
    id: 'liveness/stopped-waiter',
    line: 14,
    title: 'a stopped waiter does not block those behind it, and is served or told when it goes on',
    requires: { scope: 'machine' },
    async run(t) {
      const [a, b] = [await t.open(), await t.open()]
      const name = t.name()
      const first = await a.acquire(name)
      const remote = await t.spawn({ ttl: t.ttl })
      const stopped = remote.acquire(name)
      await t.queued(a, name, 1)
      const next = b.acquire(name)
      await t.queued(a, name, 2)
      remote.stop()
      t.defer(() => remote.continue())
      await first.release()
      await t.settles(next, t.ttl + t.capabilities.takeover)
      remote.continue()
      await pause(t.ttl / 2)
      assert.equal((await a.query(name)).held.length, 1)
      assert.equal((await next).held, true)
      await (await next).release()
      await t.settles(stopped, 10_000)
      assert.equal(await (await stopped).held(), true)
    },
  },
  {
    id: 'liveness/silent-thief',
    line: 14,
    title: 'a thief that falls silent does not block a waiting set that it overtook for longer than ttl + takeover',
    requires: { steal: true },
    async run(t) {
      const { locks: thief, wire } = await t.openWired({ ttl: t.ttl })
      const [a, b] = [await t.open(), await t.open()]
      const [free, taken] = [t.name(), t.name()]
      const first = await a.acquire(taken)
      const waiting = b.acquireAll([free, taken])
      await t.queued(a, taken, 1)
      await thief.acquire(free, { steal: true })
      await wire.silence()
      await first.release()
      await t.settles(waiting, t.ttl + t.capabilities.takeover)
      assert.equal((await waiting).held, true)
    },
  },
  {
    id: 'liveness/outage',
    line: 16,
    title: 'waiters without a time-out wait through an outage, and each is served when the store is back',
    async run(t) {
      const { locks, wire } = await t.openWired({ ttl: t.ttl })
      const other = await t.open()
      const [free, taken] = [t.name(), t.name()]
      const first = await other.acquire(taken)
      const before = [locks.acquire(taken), locks.acquire(taken)]
      await t.queued(other, taken, 2)
      await wire.cut()
      const during = [locks.acquire(free), locks.acquire(free), locks.acquire(taken)]
      let settled = 0
      const serve = async (asked: Promise<Lock>) => {
        const lock = await asked.finally(() => settled++)
        assert.equal(lock.held, true)
        assert.equal(await lock.release(), 'released')
      }
      const served = Promise.all([...before, ...during].map(serve))
      served.catch(() => {})
      await pause(1.2 * t.ttl)
      assert.equal(settled, 0)
      await wire.heal()
      await first.release()
      await t.settles(served, 10_000)
      await served
      for (const name of [free, taken]) await t.empty(other, name)
    },
  },
  {
    id: 'liveness/silent-outage',
    line: 16,
    title: 'after a silent outage every call has been served or told, and nothing stays pending',
    async run(t) {
      const { locks, wire } = await t.openWired({ ttl: t.ttl, connectTimeout: 2 * t.ttl })
      const other = await t.open()
      const [free, taken] = [t.name(), t.name()]
      const first = await other.acquire(taken)
      const stop = new AbortController()
      const calls: Promise<Holding | null>[] = [locks.acquire(taken), locks.acquire(taken, { timeout: t.ttl / 2 })]
      await t.queued(other, taken, 2)
      await wire.silence()
      calls.push(locks.acquire(free), locks.acquire(free, { signal: stop.signal }), locks.acquireAll([free, taken]))
      calls.push(
        locks.tryAcquire(free),
        locks.query(taken).then(() => null),
      )
      const outcomes = calls.map((each) => each.then((lock) => lock?.release()).catch(() => {}))
      await pause(1.2 * t.ttl)
      stop.abort()
      await wire.heal()
      await first.release()
      await t.settles(Promise.all(outcomes), 10_000)
      for (const name of [free, taken]) await t.empty(other, name)
    },
  },
  {
    id: 'liveness/try-in-an-outage',
    line: 16,
    title: 'a try that does not reach the store rejects within the connect time-out, and is never null',
    async run(t) {
      // Within which every store can be connected to, also on a busy machine.
      const connectTimeout = 2_000
      const { locks, wire } = await t.openWired({ connectTimeout })
      const name = t.name()
      for (const fault of ['cut', 'silence'] as const) {
        await wire[fault]()
        const tried = [locks.tryAcquire(name), locks.acquire(name, { timeout: 0 }), locks.query(name)]
        await t.settles(Promise.allSettled(tried), connectTimeout + 1_500)
        for (const each of tried) {
          const code = LockError.find(await thrown(each))?.code
          assert.ok(code === 'UNAVAILABLE' || code === 'OUTCOME_UNKNOWN', `${fault}: ${code}`)
        }
        await t.fails(locks.acquire(name, { timeout: 50 }), 'TIMEOUT')
        await wire.heal()
        await t.answered(locks, [name])
        await t.empty(locks, name)
      }
      await t.free(locks, name)
    },
  },
  {
    id: 'liveness/timeout-in-an-outage',
    line: 16,
    title: 'a wait with a time-out ends in time in an outage, with TIMEOUT',
    async run(t) {
      const { locks, wire } = await t.openWired()
      const name = t.name()
      for (const fault of ['cut', 'silence', 'dropAnswers'] as const) {
        await wire[fault]()
        const asked = locks.acquire(name, { timeout: 200 })
        const took = await t.settles(asked, 1_200)
        const error = await t.fails(asked, 'TIMEOUT')
        assert.ok(took >= 150, `${fault}: ended after ${took} ms of 200`)
        assert.equal(error.temporary, true)
        await wire.heal()
        await t.answered(locks, [name])
      }
    },
  },
  {
    id: 'liveness/patient',
    line: 14,
    title: 'waiting for many ttls behind a live holder keeps one’s place',
    requires: { order: 'fifo' },
    async run(t) {
      const [a, b, c] = [await t.open({ ttl: t.ttl }), await t.open({ ttl: t.ttl }), await t.open({ ttl: t.ttl })]
      const name = t.name()
      const first = await a.acquire(name)
      const order: string[] = []
      const waiting: Promise<void>[] = []
      for (const [index, locks] of [b, c, b].entries()) {
        waiting.push(locks.request(name, () => void order.push(String(index))))
        await t.queued(a, name, index + 1)
      }
      await pause(2 * t.ttl)
      assert.equal(first.held, true)
      await first.release()
      await Promise.all(waiting)
      assert.deepEqual(order, ['0', '1', '2'])
    },
  },
]
