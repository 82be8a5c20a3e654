import assert from 'node:assert/strict'
import type { Case } from '../case.ts'
import { thrown, type Context } from '../context.ts'
import { holder } from '../requests.ts'

/** Something happens to the line in the last moment of a callback; its outcome is the request's all the same. */
async function survives(t: Context, ...troubles: readonly ('silence' | 'dropAnswers' | 'cut')[]): Promise<void> {
  for (const trouble of troubles) {
    const { locks, wire } = await t.openWired()
    const result = {}
    const passes = locks.request(t.name(), async () => {
      await wire[trouble]()
      return result
    })
    await t.settles(passes, 5_000)
    assert.equal(await passes, result, trouble)
    await wire.heal()
    const error = new Error('mine')
    const fails = locks.request(t.name(), async () => {
      await wire[trouble]()
      throw error
    })
    await t.settles(fails, 5_000)
    assert.equal(await thrown(fails), error, trouble)
  }
}

export const requestLoss: readonly Case[] = [
  {
    id: 'request/evicted',
    line: 7,
    title: 'when the store drops the lock, the request rejects with LOST while its callback goes on',
    async run(t) {
      const locks = await t.open({ ttl: t.ttl })
      const name = t.name()
      const { call, lock, finish } = await holder(locks, name)
      await t.evict(name)
      const error = await t.fails(call, 'LOST')
      assert.equal(lock.held, false)
      finish('late')
      assert.equal(await error.callback, 'late')
    },
  },
  {
    id: 'request/expired',
    line: 7,
    title: 'when the deadline passes, the request rejects with LOST while its callback goes on',
    async run(t) {
      const { locks, wire } = await t.openWired({ ttl: t.ttl })
      const { call, lock, fail } = await holder(locks, t.name())
      await wire.silence()
      const error = await t.fails(call, 'LOST')
      assert.deepEqual([lock.held, lock.signal.aborted], [false, true])
      const late = new Error('mine')
      fail(late)
      assert.equal(await thrown(error.callback as Promise<unknown>), late)
    },
  },
  {
    id: 'request/release-unanswered',
    line: 7,
    title:
      'a release that gets no answer replaces neither the callback’s result nor its error, and holds it up for a bounded time',
    run: (t) => survives(t, 'silence', 'dropAnswers'),
  },
  {
    id: 'request/release-cut-off',
    line: 7,
    title: 'a release that cannot be sent replaces neither the callback’s result nor its error',
    requires: { reconnects: true },
    run: (t) => survives(t, 'cut'),
  },
]
