import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { LockError } from '../../errors.ts'
import type { Case } from '../case.ts'
import { thrown } from '../context.ts'
import { uncalled } from '../requests.ts'

export const requestSignal: readonly Case[] = [
  {
    id: 'request/aborted-before',
    line: 11,
    title: 'an aborted signal rejects with its very reason, sends nothing and calls nobody',
    async run(t) {
      const { locks, wire } = await t.openWired()
      const stolen = new LockError('LOST', 'another lock’s', { reason: 'stolen' })
      const reasons = [undefined, new Error('mine'), 'text', 0, null, new LockError('UNSUPPORTED', 'mine'), stolen]
      await t.sendsNothing(wire, async () => {
        for (const reason of reasons) {
          const signal = AbortSignal.abort(reason)
          assert.ok((await thrown(locks.request(t.name(), { signal }, uncalled))) === signal.reason, String(reason))
          assert.ok((await thrown(locks.acquire(t.name(), { signal }))) === signal.reason, String(reason))
        }
      })
    },
  },
  {
    id: 'request/aborted-while-waiting',
    line: 11,
    title: 'aborting a wait rejects it with the very reason and lets the next one through',
    async run(t) {
      const [a, b] = [await t.open(), await t.open()]
      const name = t.name()
      for (const reason of [undefined, 'text', new LockError('LOST', 'another lock’s', { reason: 'stolen' })]) {
        const held = await a.acquire(name)
        const controller = new AbortController()
        const { signal } = controller
        const aborted = b.request(name, { signal }, uncalled)
        await t.queued(a, name, 1)
        const next = b.request(name, () => 'next')
        await t.queued(a, name, 2)
        controller.abort(reason)
        assert.ok((await thrown(aborted)) === signal.reason, String(reason))
        await t.queued(a, name, 1)
        await held.release()
        assert.equal(await next, 'next')
      }
    },
  },
  {
    id: 'request/aborted-in-the-same-tick',
    line: 11,
    title: 'an abort in the call’s own tick wins over a free lock, and leaves the name free',
    async run(t) {
      const [a, b] = [await t.open(), await t.open()]
      const name = t.name()
      for (let round = 0; round < 5; round++) {
        const controller = new AbortController()
        const call = a.request(name, { signal: controller.signal }, uncalled)
        controller.abort(round)
        assert.equal(await thrown(call), round)
      }
      await t.until(
        'the name is free',
        async () => await b.request(name, { ifAvailable: true }, (lock) => lock !== null),
      )
    },
  },
  {
    id: 'request/aborted-after-the-grant',
    line: 11,
    title: 'an abort after the grant is ignored, and the signal has no listener left',
    async run(t) {
      const [a, b] = [await t.open(), await t.open()]
      const name = t.name()
      const controller = new AbortController()
      const { signal } = controller
      const listeners = () => getEventListeners(signal, 'abort').length
      const held = await a.acquire(name)
      await t.fails(b.request(name, { signal, timeout: 100 }, uncalled), 'TIMEOUT')
      assert.equal(listeners(), 0)
      const waited = b.request(name, { signal }, async (lock) => {
        assert.equal(listeners(), 0)
        controller.abort()
        assert.equal(await a.tryAcquire(name), null)
        assert.deepEqual([lock.held, lock.signal.aborted], [true, false])
        return 'mine'
      })
      await t.queued(a, name, 1)
      await held.release()
      assert.equal(await waited, 'mine')
    },
  },
]
