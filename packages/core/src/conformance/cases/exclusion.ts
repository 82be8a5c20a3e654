import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Case } from '../case.ts'

export const exclusion: readonly Case[] = [
  {
    id: 'exclusion/one-holder',
    line: 1,
    title: 'while one client holds a name no other is granted it, and after its release one is',
    async run(t) {
      const [a, b] = [await t.open(), await t.open()]
      const name = t.name()
      const held = await a.acquire(name)
      assert.equal(await b.tryAcquire(name), null)
      const waiting = b.acquire(name)
      await t.queued(a, name, 1)
      assert.equal((await a.query(name)).held.length, 1)
      await held.release()
      const next = await waiting
      assert.equal(await a.tryAcquire(name), null)
      assert.equal(next.held, true)
    },
  },
  {
    id: 'exclusion/contenders',
    line: 1,
    title: '100 contenders of 4 clients are never in the critical section together, and all get there',
    async run(t) {
      const clients = [await t.open(), await t.open(), await t.open(), await t.open()]
      const name = t.name()
      let [inside, most, served] = [0, 0, 0]
      const contend = (index: number) =>
        clients[index % 4]!.request(name, async () => {
          most = Math.max(most, ++inside)
          await new Promise((resolve) => setImmediate(resolve))
          inside--
          served++
        })
      await Promise.all(Array.from({ length: 100 }, (_, index) => contend(index)))
      assert.deepEqual({ most, served }, { most: 1, served: 100 })
    },
  },
  {
    id: 'exclusion/contenders-in-processes',
    line: 1,
    title: '100 contenders over 8 processes are never in the critical section together, and all get there',
    requires: { scope: 'machine' },
    async run(t) {
      const folder = await mkdtemp(join(tmpdir(), 'locks-contend-'))
      t.defer(() => rm(folder, { recursive: true }))
      const processes = await Promise.all(Array.from({ length: 8 }, () => t.spawn()))
      const name = t.name()
      // 4 x 13 + 4 x 12 = 100
      const met = await Promise.all(
        processes.map((each, index) => each.contend(name, join(folder, 'inside'), index < 4 ? 13 : 12)),
      )
      assert.deepEqual(met, Array(8).fill(0))
    },
  },
  {
    id: 'exclusion/shared',
    line: 1,
    title: 'any number of shared holders exclude an exclusive one, and it them',
    requires: { shared: true },
    async run(t) {
      const [a, b] = [await t.open(), await t.open()]
      const name = t.name()
      const readers = await Promise.all([a, b, a].map((each) => each.acquire(name, { mode: 'shared' })))
      assert.deepEqual(
        readers.map((each) => [each.mode, each.held]),
        Array(3).fill(['shared', true]),
      )
      assert.equal(await b.tryAcquire(name), null)
      await Promise.all(readers.map((each) => each.release()))
      const writer = await b.tryAcquire(name)
      assert.ok(writer)
      assert.equal(await a.tryAcquire(name, { mode: 'shared' }), null)
    },
  },
  {
    id: 'exclusion/permits',
    line: 1,
    title: 'a semaphore is never held for more weight than its limit',
    requires: { semaphore: true },
    async run(t) {
      const clients = [await t.open(), await t.open()]
      const name = t.name()
      let [weight, most, served] = [0, 0, 0]
      const contend = (index: number) => {
        const own = 1 + (index % 3)
        return clients[index % 2]!.request(name, { permits: 4, weight: own }, async () => {
          most = Math.max(most, (weight += own))
          await new Promise((resolve) => setImmediate(resolve))
          weight -= own
          served++
        })
      }
      await Promise.all(Array.from({ length: 30 }, (_, index) => contend(index)))
      assert.equal(served, 30)
      assert.ok(most <= 4, `${most} permits of 4 were held`)
      assert.ok(most > 1, 'the permits were never held together')
    },
  },
  {
    id: 'exclusion/thief-of-part-of-a-set',
    line: 1,
    title: 'who steals one name of a set holds it alone, whoever waits for the same set',
    requires: { steal: true },
    async run(t) {
      const [a, b] = [await t.open(), await t.open()]
      const [name, other] = [t.name(), t.name()]
      const set = await a.acquireAll([name, other])
      const waiting = a.acquireAll([name, other])
      await t.queued(b, name, 1)
      const thief = await b.acquire(name, { steal: true })
      assert.equal(await set.release(), 'lost')
      await t.until('the rest of the set is free', async () => (await b.query(other)).held.length === 0)
      assert.equal((await b.query(name)).held.length, 1)
      assert.equal(thief.held, true)
      await thief.release()
      assert.equal((await waiting).held, true)
    },
  },
  {
    id: 'exclusion/not-re-entrant',
    line: 8,
    title: 'a second acquire of a held name by the same client waits like anybody else',
    async run(t) {
      const locks = await t.open()
      const name = t.name()
      const first = await locks.acquire(name)
      assert.equal(await locks.tryAcquire(name), null)
      const second = locks.acquire(name)
      await t.queued(locks, name, 1)
      await first.release()
      assert.equal((await second).held, true)
    },
  },
]
