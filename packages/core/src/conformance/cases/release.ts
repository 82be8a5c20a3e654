import assert from 'node:assert/strict'
import type { Case } from '../case.ts'

export const release: readonly Case[] = [
  {
    id: 'release/released',
    line: 6,
    title: 'answers "released" for a held lock, which is free then and no longer held',
    async run(t) {
      const [a, b] = [await t.open(), await t.open()]
      const name = t.name()
      const lock = await a.acquire(name)
      assert.equal(await lock.release(), 'released')
      assert.equal(lock.held, false)
      await t.fails(() => lock.assertHeld(), 'RELEASED')
      assert.ok(await b.tryAcquire(name))
    },
  },
  {
    id: 'release/idempotent',
    line: 6,
    title: 'gives the same answer again and frees nobody else’s lock',
    async run(t) {
      const [a, b] = [await t.open(), await t.open()]
      const name = t.name()
      const lock = await a.acquire(name)
      await lock.release()
      const others = await b.acquire(name)
      assert.equal(await lock.release(), 'released')
      assert.equal(others.held, true)
      assert.equal(await a.tryAcquire(name), null)
      assert.equal(await others.release(), 'released')
    },
  },
  {
    id: 'release/lost-by-deadline',
    line: 6,
    title: 'answers "lost", without throwing, when the deadline had passed, and leaves the next holder’s lock alone',
    async run(t) {
      const { locks, wire } = await t.openWired({ ttl: t.ttl })
      const other = await t.open()
      const name = t.name()
      const lock = await locks.acquire(name)
      await wire.silence()
      const next = await other.acquire(name)
      assert.equal(await lock.release(), 'lost')
      await wire.heal()
      assert.equal(await lock.release(), 'lost')
      assert.equal(next.held, true)
      assert.equal(await other.tryAcquire(name), null)
    },
  },
  {
    id: 'release/lost-at-the-store',
    line: 6,
    title: 'answers "lost" when the store no longer had the lock',
    async run(t) {
      const [a, b] = [await t.open(), await t.open()]
      const name = t.name()
      const lock = await a.acquire(name)
      await t.evict(name)
      const next = await b.acquire(name)
      assert.equal(await lock.release(), 'lost')
      assert.equal(next.held, true)
    },
  },
  {
    id: 'release/dropped-answer',
    line: 6,
    title: 'a repeated attempt that finds nothing is no loss',
    async run(t) {
      const { locks, wire } = await t.openWired()
      const other = await t.open()
      const name = t.name()
      const lock = await locks.acquire(name)
      await wire.dropAnswers()
      const released = lock.release()
      const next = await other.acquire(name)
      await wire.heal()
      assert.equal(await released, 'released')
      assert.equal(next.held, true)
    },
  },
  {
    id: 'release/dispose',
    line: 6,
    title: 'disposing of a lock releases it',
    async run(t) {
      const [a, b] = [await t.open(), await t.open()]
      const name = t.name()
      await (await a.acquire(name))[Symbol.asyncDispose]()
      assert.ok(await b.tryAcquire(name))
    },
  },
]
