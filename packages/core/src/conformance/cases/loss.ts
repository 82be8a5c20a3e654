import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { LockError } from '../../errors.ts'
import type { Holding, Lock } from '../../lock.ts'
import type { LockEvents } from '../../telemetry.ts'
import type { Case } from '../case.ts'
import { pause, type Context } from '../context.ts'

export const loss: readonly Case[] = [
  {
    id: 'loss/never-on-release',
    line: 17,
    title: 'the signal of a lock that is released never aborts, whatever becomes of the name and the client later',
    async run(t) {
      const { locks, wire } = await t.openWired()
      const name = t.name()
      const lock = await locks.acquire(name)
      const set = await locks.acquireAll([t.name(), t.name()])
      const signals = [lock.signal, set.signal]
      assert.deepEqual(await Promise.all([lock.release(), set.release()]), ['released', 'released'])
      await locks.acquire(name)
      await t.evict(name)
      await wire.end()
      await locks.connect()
      await locks.close()
      assert.deepEqual(
        signals.map(({ aborted }) => aborted),
        [false, false],
      )
      assert.equal(lock.held, false)
      assert.equal(await lock.release(), 'released')
    },
  },
  {
    id: 'loss/evicted',
    line: 17,
    title: 'a lock that is deleted at the store is lost within the stated bound, and its signal aborts once',
    async run(t) {
      const locks = await t.open({ ttl: t.ttl })
      const name = t.name()
      const lock = await locks.acquire(name)
      const aborts = countAborts(lock)
      await t.evict(name)
      await t.until('the loss is told', () => lock.signal.aborted, bound(t))
      assert.equal(lock.held, false)
      await assertLost(t, lock)
      assert.equal(await lock.release(), 'lost')
      await locks.close()
      assert.equal(aborts(), 1)
    },
  },
  {
    id: 'loss/expired',
    line: 17,
    title: 'a lock that cannot be renewed is lost at its deadline, and its signal aborts once',
    async run(t) {
      const { locks, wire } = await t.openWired({ ttl: t.ttl })
      const lock = await locks.acquire(t.name())
      const aborts = countAborts(lock)
      await wire.silence()
      const { expiresAt } = lock
      await t.until('the loss is told', () => lock.signal.aborted)
      // By a timer at the deadline, give or take a busy machine.
      assert.ok(performance.now() >= expiresAt - 1, 'lost before the deadline')
      assert.ok(performance.now() < expiresAt + bound(t), 'told late')
      const error = await assertLost(t, lock)
      assert.equal(error.reason, 'expired')
      await wire.heal()
      await locks.acquire(t.name())
      await locks.close()
      assert.equal(aborts(), 1)
    },
  },
  {
    id: 'loss/session-ended',
    line: 17,
    title: 'all locks of a session that ends are lost within the stated bound, and none of another',
    async run(t) {
      const { locks, wire } = await t.openWired({ ttl: t.ttl })
      const other = await t.open({ ttl: t.ttl })
      const names = [t.name(), t.name()]
      const lost: Holding[] = [await locks.acquire(names[0]!), await locks.acquireAll([names[1]!, t.name()])]
      const kept = await other.acquire(t.name())
      const aborts = lost.map(countAborts)
      await wire.end()
      await t.until('all losses are told', () => lost.every(({ signal }) => signal.aborted), bound(t))
      for (const lock of lost) {
        assert.equal(lock.held, false)
        await assertLost(t, lock)
      }
      for (const name of names) assert.ok(await other.tryAcquire(name))
      const again = await locks.acquire(t.name())
      assert.deepEqual([kept.held, again.held, ...aborts.map((count) => count())], [true, true, 1, 1])
    },
  },
  {
    id: 'loss/robbed-in-the-same-client',
    line: 17,
    title: 'who is robbed by a request of the same client knows it when the thief does, shared holders included',
    requires: { steal: true, shared: true },
    async run(t) {
      const { locks, wire } = await t.openWired()
      const [name, shared] = [t.name(), t.name()]
      const robbed: Lock[] = [await locks.acquire(name)]
      for (let count = 0; count < 3; count++) robbed.push(await locks.acquire(shared, { mode: 'shared' }))
      const aborts = robbed.map(countAborts)
      // No event of the store is needed for that.
      await wire.deafen()
      const thieves = [await locks.acquire(name, { steal: true })]
      assert.deepEqual([robbed[0]!.held, robbed[1]!.held], [false, true])
      thieves.push(await locks.acquire(shared, { steal: true }))
      for (const lock of robbed) {
        assert.equal(lock.held, false)
        assert.equal((await assertLost(t, lock)).reason, 'stolen')
        assert.equal(await lock.release(), 'lost')
      }
      assert.deepEqual(
        aborts.map((count) => count()),
        [1, 1, 1, 1],
      )
      for (const thief of thieves) assert.deepEqual([thief.held, await thief.release()], [true, 'released'])
    },
  },
  {
    id: 'loss/robbed-by-another-client',
    line: 17,
    title: 'everybody who is robbed by another client is told within the stated bound, shared holders included',
    requires: { steal: true, shared: true },
    async run(t) {
      const [a, b, thief] = [await t.open({ ttl: t.ttl }), await t.open({ ttl: t.ttl }), await t.open()]
      const [name, shared] = [t.name(), t.name()]
      const robbed = [await a.acquire(name)]
      for (const locks of [a, b, a]) robbed.push(await locks.acquire(shared, { mode: 'shared' }))
      const aborts = robbed.map(countAborts)
      const thieves = [await thief.acquire(name, { steal: true }), await thief.acquire(shared, { steal: true })]
      await t.until('all losses are told', () => robbed.every(({ signal }) => signal.aborted), bound(t))
      for (const lock of robbed) {
        assert.equal(lock.held, false)
        await assertLost(t, lock)
        assert.equal(await lock.release(), 'lost')
      }
      assert.deepEqual(
        aborts.map((count) => count()),
        [1, 1, 1, 1],
      )
      for (const lock of thieves) assert.deepEqual([lock.held, await lock.release()], [true, 'released'])
    },
  },
  {
    id: 'loss/robbed-while-deaf',
    line: 17,
    title: 'who is robbed and hears no event finds out by the next renewal',
    requires: { steal: true },
    async run(t) {
      const { locks, wire } = await t.openWired({ ttl: t.ttl })
      const thief = await t.open()
      const name = t.name()
      const lock = await locks.acquire(name)
      await wire.deafen()
      await thief.acquire(name, { steal: true })
      await t.until('the loss is told', () => lock.signal.aborted, bound(t))
      await assertLost(t, lock)
    },
  },
  {
    id: 'loss/robbed-in-another-process',
    line: 17,
    title: 'a process whose lock is taken by force knows it within the stated bound',
    requires: { steal: true, scope: 'machine' },
    async run(t) {
      const locks = await t.open()
      const name = t.name()
      const remote = await t.spawn({ ttl: t.ttl })
      const lock = await remote.acquire(name)
      const stolen = await locks.acquire(name, { steal: true })
      await t.until('the robbed process knows', async () => !(await lock.held()), bound(t))
      assert.equal((await lock.assertHeld())?.code, 'LOST')
      assert.equal(await lock.release(), 'lost')
      assert.equal(stolen.held, true)
    },
  },
  {
    id: 'loss/part-of-a-set',
    line: 17,
    title: 'a set that loses one of its locks is lost, and its release leaves nothing of it behind',
    async run(t) {
      const locks = await t.open({ ttl: t.ttl })
      const other = await t.open()
      const names = [t.name(), t.name(), t.name()]
      const set = await locks.acquireAll(names)
      const aborts = countAborts(set)
      await t.evict(names[1]!)
      await t.until('the loss is told', () => set.signal.aborted, bound(t))
      assert.equal(set.held, false)
      await assertLost(t, set)
      assert.equal(await set.release(), 'lost')
      for (const name of names) await t.empty(other, name)
      assert.equal(aborts(), 1)
    },
  },
  {
    id: 'loss/blip',
    line: 17,
    title: 'a connection that fails for less than the deadline loses no lock',
    requires: { reconnects: true },
    async run(t) {
      const { locks, wire } = await t.openWired({ ttl: 3 * t.ttl })
      const other = await t.open()
      const name = t.name()
      const lock = await locks.acquire(name)
      const aborts = countAborts(lock)
      for (const fault of ['cut', 'silence'] as const) {
        await wire[fault]()
        await pause(t.ttl / 3)
        const { expiresAt } = lock
        await wire.heal()
        await t.until('the lock is renewed', () => lock.expiresAt > expiresAt + 1)
        assert.equal(lock.held, true)
        assert.equal(await other.tryAcquire(name), null)
      }
      assert.equal(aborts(), 0)
      assert.equal(await lock.release(), 'released')
    },
  },
  {
    id: 'loss/at-risk',
    line: 18,
    title:
      'a notice that the lock is at risk comes before the loss, when renewals have failed for half the ttl, and only then',
    async run(t) {
      const ttl = 2 * t.ttl
      const { locks, wire } = await t.openWired({ ttl })
      const lock = await locks.acquire(t.name())
      const notices: { heldThen: boolean; at: number }[] = []
      const note = (message: unknown) => {
        const { attempt } = message as LockEvents['locks:at-risk']
        if (attempt.namespace === t.namespace) notices.push({ heldThen: lock.held, at: performance.now() })
      }
      subscribe('locks:at-risk', note)
      t.defer(() => unsubscribe('locks:at-risk', note))
      const { expiresAt } = lock
      await t.until('the lock is renewed', () => lock.expiresAt > expiresAt + 1)
      assert.deepEqual([lock.atRisk, notices.length], [false, 0])
      await wire.silence()
      await t.until('the lock is at risk', () => lock.atRisk)
      assert.equal(lock.held, true)
      assert.equal(lock.signal.aborted, false)
      await t.until('the loss is told', () => lock.signal.aborted)
      assert.equal(lock.atRisk, false)
      assert.equal(notices.length, 1)
      assert.equal(notices[0]!.heldThen, true)
    },
  },
  {
    id: 'loss/closed',
    line: 17,
    title: 'closing a client ends its locks: they are lost, by their own client’s end, and told so once',
    async run(t) {
      const [locks, other] = [await t.open(), await t.open()]
      const [name, ...rest] = [t.name(), t.name(), t.name()]
      const held: Holding[] = [await locks.acquire(name), await locks.acquireAll(rest)]
      const aborts = held.map(countAborts)
      const closing = locks.close()
      for (const lock of held) {
        assert.equal(lock.held, false)
        assert.equal((await assertLost(t, lock)).reason, 'closed')
      }
      await closing
      for (const lock of held) assert.equal(await lock.release(), 'lost')
      for (const each of [name, ...rest]) assert.ok(await other.tryAcquire(each))
      assert.deepEqual(
        aborts.map((count) => count()),
        [1, 1],
      )
    },
  },
]

/** Within which a loss at the store is noticed: by a renewal, every third of the ttl, give or take a busy machine. */
export const bound = (t: Context): number => t.ttl / 2 + 500

function countAborts({ signal }: Holding): () => number {
  let count = 0
  signal.addEventListener('abort', () => count++)
  return () => count
}

/** The error of a lost lock, which is also its signal's reason. */
async function assertLost(t: Context, lock: Holding): Promise<LockError> {
  const error = await t.fails(() => lock.assertHeld(), 'LOST')
  assert.equal(lock.signal.aborted, true)
  assert.ok(LockError.is(lock.signal.reason, 'LOST'))
  assert.equal((lock.signal.reason as LockError).reason, error.reason)
  return error
}
