import assert from 'node:assert/strict'
import { LockError } from '../../errors.ts'
import type { Case } from '../case.ts'
import { thrown } from '../context.ts'
import { holder, isDomException, never } from '../requests.ts'

export const requestSteal: readonly Case[] = [
  {
    id: 'request/steal-free',
    line: 13,
    title: 'steal on a free name is an ordinary grant',
    requires: { steal: true },
    async run(t) {
      const [a, b] = [await t.open(), await t.open()]
      const name = t.name()
      await a.request(name, { steal: true }, async (lock) => {
        assert.deepEqual([lock.mode, lock.held], ['exclusive', true])
        assert.equal(await b.tryAcquire(name), null)
      })
      assert.ok(await b.tryAcquire(name))
    },
  },
  {
    id: 'request/stolen',
    line: 7,
    title:
      'the victim’s request rejects with AbortError although its callback never settles; at once in the same client',
    requires: { steal: true },
    async run(t) {
      const { locks: a, wire } = await t.openWired({ ttl: 2 * t.ttl })
      const b = await t.open()
      const name = t.name()
      for (const thief of [b, a]) {
        const victim = await holder(a, name)
        if (thief === a) await wire.deafen()
        const loot = await thief.acquire(name, { steal: true })
        if (thief === a) await t.settles(victim.call, 1_000)
        const error = await thrown(victim.call)
        isDomException(error, 'AbortError')
        assert.equal(LockError.find(error)?.reason, 'stolen')
        assert.deepEqual([victim.lock.held, victim.lock.signal.aborted, loot.held], [false, true, true])
        assert.equal(await victim.lock.release(), 'lost')
        await loot.release()
      }
    },
  },
  {
    id: 'request/stolen-shared',
    line: 17,
    title: 'every shared holder that is robbed is told',
    requires: { steal: true, shared: true },
    async run(t) {
      const [a, b] = [await t.open({ ttl: 2 * t.ttl }), await t.open()]
      const name = t.name()
      const victims = [
        await holder(a, name, { mode: 'shared' }),
        await holder(b, name, { mode: 'shared' }),
        await holder(b, name, { mode: 'shared' }),
      ]
      const loot = await b.acquire(name, { steal: true })
      for (const { call, lock } of victims) {
        isDomException(await thrown(call), 'AbortError')
        assert.deepEqual([lock.held, lock.signal.aborted], [false, true])
      }
      assert.equal(loot.held, true)
    },
  },
  {
    id: 'request/outcome-of-the-robbed',
    line: 7,
    title: 'the error of a robbed request carries a promise of its callback’s outcome, which needs no handler',
    requires: { steal: true },
    async run(t) {
      const locks = await t.open()
      const name = t.name()
      const outcomes: Promise<unknown>[] = []
      const victims = [await holder(locks, name)]
      for (let robbed = 0; robbed < 3; robbed++) {
        const [next] = await Promise.all([holder(locks, name, { steal: true }), thrown(victims[robbed]!.call)])
        victims.push(next)
        const outcome = LockError.find(await thrown(victims[robbed]!.call))?.callback
        assert.ok(outcome, 'no promise of the outcome')
        outcomes.push(outcome)
      }
      const reason = new Error('mine')
      victims[0]!.finish('late')
      victims[1]!.fail(reason)
      victims[2]!.fail(new Error('heard by nobody'))
      assert.equal(await outcomes[0], 'late')
      assert.equal(await thrown(outcomes[1] as Promise<unknown>), reason)
      victims[3]!.finish('mine')
      assert.equal(await victims[3]!.call, 'mine')
    },
  },
  {
    id: 'request/last-thief-wins',
    line: 13,
    title: 'of several thieves the last one keeps the lock, and the others are robbed in their turn',
    requires: { steal: true },
    async run(t) {
      const locks = await t.open()
      const name = t.name()
      const victim = await holder(locks, name)
      const thieves = Array.from({ length: 3 }, () => locks.request(name, { steal: true }, () => never))
      const last = await holder(locks, name, { steal: true })
      for (const call of [victim.call, ...thieves]) isDomException(await thrown(call), 'AbortError')
      assert.equal(last.lock.held, true)
      assert.equal((await locks.query(name)).held.length, 1)
      last.finish('mine')
      assert.equal(await last.call, 'mine')
    },
  },
  {
    id: 'request/thief-before-waiters',
    line: 13,
    title: 'a thief is granted ahead of all who wait, and they keep their places',
    requires: { steal: true, order: 'fifo' },
    async run(t) {
      const [a, b] = [await t.open(), await t.open()]
      const name = t.name()
      const victim = await holder(a, name)
      const order: string[] = []
      const waiters = []
      for (const [index, locks] of [a, b, a].entries()) {
        waiters.push(locks.request(name, () => order.push(`waiter ${index}`)))
        await t.queued(a, name, index + 1)
      }
      const thief = await holder(b, name, { steal: true })
      order.push('thief')
      isDomException(await thrown(victim.call), 'AbortError')
      await t.queued(a, name, 3)
      thief.finish('done')
      await Promise.all([thief.call, ...waiters])
      assert.deepEqual(order, ['thief', 'waiter 0', 'waiter 1', 'waiter 2'])
    },
  },
]
