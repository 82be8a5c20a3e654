import assert from 'node:assert/strict'
import type { Lock } from '../../lock.ts'
import type { LockManager } from '../../manager.ts'
import type { Case } from '../case.ts'
import { thrown, type Context } from '../context.ts'

export const queue: readonly Case[] = [
  {
    id: 'queue/arrival',
    line: 13,
    title: 'grants follow the arrival of the requests at the store, over several clients',
    requires: { order: 'fifo' },
    async run(t) {
      const clients = [await t.open(), await t.open(), await t.open()]
      const name = t.name()
      const first = await clients[0]!.acquire(name)
      const order: number[] = []
      const waiting: Promise<void>[] = []
      for (let index = 0; index < 9; index++) {
        const turn = () => void order.push(index)
        waiting.push(clients[index % 3]!.request(name, turn))
        await t.queued(clients[0]!, name, index + 1)
      }
      await first.release()
      await Promise.all(waiting)
      assert.deepEqual(order, [0, 1, 2, 3, 4, 5, 6, 7, 8])
    },
  },
  {
    id: 'queue/arrival-of-one-client',
    line: 13,
    title: 'requests of one client in one tick are served in the order of the calls',
    requires: { order: 'fifo' },
    async run(t) {
      const [a, b] = [await t.open(), await t.open()]
      const name = t.name()
      const first = await a.acquire(name)
      const order: number[] = []
      const waiting = Array.from({ length: 20 }, (_, index) => b.request(name, () => void order.push(index)))
      await t.queued(a, name, 20)
      await first.release()
      await Promise.all(waiting)
      assert.deepEqual(
        order,
        Array.from({ length: 20 }, (_, index) => index),
      )
    },
  },
  {
    id: 'queue/shared-behind-exclusive',
    line: 13,
    title: 'a shared request waits behind a waiting exclusive one, though it could hold beside the holder',
    requires: { order: 'fifo', shared: true },
    async run(t) {
      const [a, b] = [await t.open(), await t.open()]
      const name = t.name()
      const reader = await a.acquire(name, { mode: 'shared' })
      const writing = b.acquire(name)
      await t.queued(a, name, 1)
      assert.equal(await a.tryAcquire(name, { mode: 'shared' }), null)
      const reading = a.acquire(name, { mode: 'shared' })
      await t.queued(a, name, 2)
      assert.equal((await a.query(name)).held.length, 1)
      await reader.release()
      const writer = await writing
      assert.equal((await a.query(name)).pending.length, 1)
      await writer.release()
      assert.equal((await reading).held, true)
    },
  },
  {
    id: 'queue/light-behind-heavy',
    line: 13,
    title: 'a light permit waits behind a waiting heavy one, though there is room for it',
    requires: { order: 'fifo', semaphore: true },
    async run(t) {
      const [a, b] = [await t.open(), await t.open()]
      const name = t.name()
      const first = await a.acquire(name, { permits: 3, weight: 2 })
      const heavy = b.acquire(name, { permits: 3, weight: 2 })
      await t.queued(a, name, 1)
      assert.equal(await a.tryAcquire(name, { permits: 3 }), null)
      const light = a.acquire(name, { permits: 3 })
      await t.queued(a, name, 2)
      await first.release()
      assert.deepEqual([(await heavy).held, (await light).held], [true, true])
      assert.equal((await a.query(name)).held.length, 2)
    },
  },
  {
    id: 'queue/try-behind-waiters',
    line: 13,
    title: 'a try is refused while anybody waits, the same client included, though it could hold',
    requires: { order: 'fifo', shared: true },
    async run(t) {
      const [a, b] = [await t.open(), await t.open()]
      const name = t.name()
      await a.acquire(name, { mode: 'shared' })
      const stop = new AbortController()
      const writing = b.acquire(name, { signal: stop.signal })
      await t.queued(a, name, 1)
      for (const locks of [a, b]) assert.equal(await locks.tryAcquire(name, { mode: 'shared' }), null)
      stop.abort()
      await thrown(writing)
      await t.queued(a, name, 0)
      for (const locks of [a, b]) assert.equal((await locks.tryAcquire(name, { mode: 'shared' }))?.held, true)
    },
  },
  {
    id: 'queue/calls-in-order',
    line: 13,
    title: 'calls of one client about one name take effect in the order of the calls, also those that do not wait',
    async run(t) {
      const [a, b] = [await t.open(), await t.open()]
      for (let round = 0; round < 10; round++) {
        const name = t.name()
        const [lock, refused] = await Promise.all([a.acquire(name), a.tryAcquire(name)])
        assert.equal(refused, null, 'a try overtook an acquire')
        const [released, tried] = await Promise.all([lock.release(), a.tryAcquire(name)])
        assert.equal(released, 'released')
        assert.ok(tried, 'a try overtook a release')
        const stop = new AbortController()
        const waiting = b.acquire(name, { signal: stop.signal })
        stop.abort()
        const after = Promise.all([thrown(waiting), tried.release().then(() => b.tryAcquire(name))])
        assert.ok((await after)[1], 'a try met a request that had been cancelled before')
      }
    },
  },
  {
    id: 'queue/release-to-own-waiter',
    line: 13,
    title: 'a release serves a waiter of its own client before a later try of it',
    async run(t) {
      const locks = await t.open()
      const name = t.name()
      const lock = await locks.acquire(name)
      const waiting = locks.acquire(name)
      const [, refused, next] = await Promise.all([lock.release(), locks.tryAcquire(name), waiting])
      assert.equal(refused, null)
      assert.equal(next.held, true)
    },
  },
  {
    id: 'queue/wakes-all-readers',
    line: 13,
    title: 'one release grants all 50 readers that stand in front, and not the writer behind them',
    requires: { shared: true, order: 'fifo' },
    async run(t) {
      const clients = [await t.open(), await t.open(), await t.open()]
      const name = t.name()
      const writer = await clients[0]!.acquire(name)
      const reading = Array.from({ length: 50 }, (_, index) => clients[index % 3]!.acquire(name, { mode: 'shared' }))
      await t.queued(clients[0]!, name, 50)
      let written = false
      const writing = clients[1]!.acquire(name).then((lock) => {
        written = true
        return lock
      })
      await t.queued(clients[0]!, name, 51)
      await writer.release()
      const readers = await Promise.all(reading)
      assert.ok(readers.every(({ held }) => held))
      const { held, pending } = await clients[2]!.query(name)
      assert.deepEqual([held.length, pending.length], [50, 1])
      await Promise.all(readers.slice(1).map((lock) => lock.release()))
      assert.equal((await clients[2]!.query(name)).pending.length, 1)
      assert.equal(written, false)
      await readers[0]!.release()
      assert.equal((await writing).held, true)
    },
  },
  {
    id: 'queue/no-herd',
    line: 13,
    title: 'a release wakes one of 50 waiting writers, and the others do not stir',
    async run(t) {
      const other = await t.open()
      const { locks, wire } = await t.openWired()
      const name = t.name()
      const first = await other.acquire(name)
      const waiting = Array.from({ length: 50 }, () => locks.acquire(name))
      await t.queued(other, name, 50)
      let granted: Lock[] = []
      for (const each of waiting) void each.then((lock) => granted.push(lock), ignored)
      const unasked = await wire.sent()
      await locks.query(name)
      const before = await wire.sent()
      const question = before - unasked
      await first.release()
      await t.until('one is granted', () => granted.length > 0)
      // Over their own line: what the release has made them send is counted by then.
      const { held, pending } = await locks.query(name)
      assert.deepEqual([held.length, pending.length, granted.length], [1, 49, 1])
      const sent = (await wire.sent()) - before - question
      assert.ok(sent < 25, `${sent} requests left for one release`)
      for (let served = 1; served <= 50; served++) {
        await t.until(`${served} are granted`, () => granted.length === served)
        await granted.at(-1)!.release()
      }
      const sentPerGrant = ((await wire.sent()) - before) / 50
      assert.ok(sentPerGrant < 10, `${sentPerGrant} requests left for each release`)
    },
  },
  {
    id: 'queue/cancelled-in-the-middle',
    line: 14,
    title: 'a waiter that is cancelled lets those behind it through who waited for nothing else',
    requires: { shared: true, order: 'fifo' },
    async run(t) {
      const [a, b] = [await t.open(), await t.open()]
      const name = t.name()
      const reader = await a.acquire(name, { mode: 'shared' })
      const stop = new AbortController()
      const writing = b.acquire(name, { signal: stop.signal })
      await t.queued(a, name, 1)
      const reading = [a, b, a].map((each) => each.acquire(name, { mode: 'shared' }))
      await t.queued(a, name, 4)
      stop.abort()
      assert.equal(await thrown(writing), stop.signal.reason)
      const readers = await Promise.all(reading)
      assert.deepEqual(
        [reader, ...readers].map(({ held }) => held),
        Array(4).fill(true),
      )
    },
  },
  {
    id: 'queue/timed-out-in-the-middle',
    line: 14,
    title: 'waiters that time out in the middle of the queue neither stop nor reorder the others',
    requires: { order: 'fifo' },
    async run(t) {
      const [a, b] = [await t.open(), await t.open()]
      const name = t.name()
      const first = await a.acquire(name)
      const order: number[] = []
      const outcomes: Promise<unknown>[] = []
      for (let index = 0; index < 8; index++) {
        const timeout = index % 2 === 0 ? 300 : undefined
        const asked = b.request(name, { timeout }, () => void order.push(index))
        outcomes.push(timeout === undefined ? asked : t.fails(asked, 'TIMEOUT'))
      }
      await Promise.all(outcomes.filter((_, index) => index % 2 === 0))
      await t.queued(a, name, 4)
      await first.release()
      await Promise.all(outcomes)
      assert.deepEqual(order, [1, 3, 5, 7])
    },
  },
  {
    id: 'queue/cancelled-head',
    line: 14,
    title: 'cancelling the first of the queue, as it is granted or before, passes the turn on',
    async run(t) {
      const [a, b] = [await t.open(), await t.open()]
      for (let round = 0; round < 10; round++) {
        const name = t.name()
        const first = await a.acquire(name)
        const stop = new AbortController()
        const head = b.acquire(name, { signal: stop.signal }).then(
          (lock) => lock.release(),
          () => 'cancelled',
        )
        await t.queued(a, name, 1)
        const second = a.acquire(name)
        await t.queued(a, name, 2)
        const released = first.release()
        if (round % 2 === 0) await Promise.resolve()
        stop.abort()
        await t.settles(Promise.all([head, second, released]), 8_000)
        const { held, pending } = await a.query(name)
        assert.deepEqual([held.length, pending.length], [1, 0])
      }
    },
  },
  {
    id: 'queue/thief-ahead',
    line: 13,
    title: 'a thief is granted ahead of all who wait, and they keep their places',
    requires: { steal: true, order: 'fifo' },
    async run(t) {
      const [a, b, c] = [await t.open(), await t.open(), await t.open()]
      const name = t.name()
      await a.acquire(name)
      const order: string[] = []
      const waiting = await waitInTurn(t, name, [b, a, b, c], (index) => order.push(`waiter ${index}`))
      for (const thief of [c, a]) {
        const stolen = await thief.acquire(name, { steal: true })
        assert.equal((await a.query(name)).pending.length, 4)
        order.push('thief')
        if (thief === a) await stolen.release()
      }
      await Promise.all(waiting)
      assert.deepEqual(order, ['thief', 'thief', 'waiter 0', 'waiter 1', 'waiter 2', 'waiter 3'])
    },
  },
]

/** Queues one request after the other, so that their arrival is known. */
async function waitInTurn(
  t: Context,
  name: string,
  clients: readonly LockManager[],
  turn: (index: number) => void,
): Promise<Promise<void>[]> {
  const waiting: Promise<void>[] = []
  for (const [index, locks] of clients.entries()) {
    waiting.push(locks.request(name, () => turn(index)))
    await t.queued(clients[0]!, name, index + 1)
  }
  return waiting
}

/** A case that fails leaves calls behind, which end with its clients. */
function ignored(): void {}
