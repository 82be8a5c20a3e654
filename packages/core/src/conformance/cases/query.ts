import assert from 'node:assert/strict'
import type { Case } from '../case.ts'

const empty = { held: [], pending: [] }

export const query: readonly Case[] = [
  {
    id: 'query/plain',
    line: 21,
    title: 'answers with plain objects whose properties are their own, and shares none of them',
    async run(t) {
      const locks = await t.open({ owner: 'a label' })
      const name = t.name()
      const held = locks.acquire(name)
      const waiting = locks.acquire(name)
      const found = await locks.query(name)
      assert.deepEqual(Object.keys(found).toSorted(), ['held', 'pending'])
      for (const list of [found.held, found.pending]) {
        assert.ok(Array.isArray(list))
        assert.equal(list.length, 1)
        const [info] = list
        assert.equal(Object.getPrototypeOf(info), Object.prototype)
        const { name: itsName, mode, clientId, owner } = { ...info }
        assert.deepEqual([itsName, mode, owner], [name, 'exclusive', 'a label'])
        assert.ok(typeof clientId === 'string' && clientId.length > 0)
      }
      found.held.length = 0
      assert.equal((await locks.query(name)).held.length, 1)
      await (await held).release()
      await waiting
    },
  },
  {
    id: 'query/nothing',
    line: 21,
    title: 'a name that nobody holds or waits for has no entries, also after it had some',
    async run(t) {
      const locks = await t.open()
      const name = t.name()
      assert.deepEqual(await locks.query(name), empty)
      await locks.request(name, () => {})
      assert.deepEqual(await locks.query(name), empty)
    },
  },
  {
    id: 'query/client-id',
    line: 21,
    title: 'clientId is one for all entries of a manager and another for every other manager',
    async run(t) {
      const managers = [await t.open(), await t.open(), await t.open()] as const
      const names = [t.name(), t.name()]
      const ids = new Set<string>()
      for (const locks of managers) {
        const held = await locks.acquire(names[0]!)
        const other = await locks.acquire(names[1]!)
        const found = [...(await locks.query(names[0])).held, ...(await managers[0].query(names[1])).held]
        assert.equal(found.length, 2)
        assert.equal(new Set(found.map(({ clientId }) => clientId)).size, 1)
        ids.add(found[0]!.clientId)
        await Promise.all([held.release(), other.release()])
      }
      assert.equal(ids.size, 3)
    },
  },
  {
    id: 'query/since',
    line: 21,
    title: 'owner is the manager’s label, and since, where it is known, is when it was granted or queued',
    async run(t) {
      const [a, b] = [await t.open({ owner: 'é "a"' }), await t.open({ owner: '' })]
      const name = t.name()
      const before = Date.now()
      const held = await a.acquire(name)
      const waiting = b.acquire(name)
      await t.queued(a, name, 1)
      const found = await b.query(name)
      assert.deepEqual(
        [...found.held, ...found.pending].map(({ owner }) => owner),
        ['é "a"', ''],
      )
      for (const { since } of [...found.held, ...found.pending]) {
        if (since === undefined) continue
        // By the store's clock, which need not agree with this machine's.
        assert.ok(Math.abs(since - before) < 60_000, `${since} is far from ${before}`)
      }
      await held.release()
      await waiting
    },
  },
  {
    id: 'query/token',
    line: 21,
    title: 'a holder is shown with its token, a waiter without one',
    requires: { fencing: 'volatile' },
    async run(t) {
      const [a, b] = [await t.open(), await t.open()]
      const name = t.name()
      const lock = await a.acquire(name)
      const waiting = b.acquire(name)
      await t.queued(a, name, 1)
      const { held, pending } = await b.query(name)
      assert.deepEqual(
        held.map(({ token }) => token),
        [lock.token],
      )
      assert.ok(pending.every((info) => !('token' in info)))
      await lock.release()
      const next = await waiting
      assert.deepEqual(
        (await a.query(name)).held.map(({ token }) => token),
        [next.token],
      )
    },
  },
  {
    id: 'query/shared',
    line: 21,
    title: 'every shared holder has an entry of its own',
    requires: { shared: true },
    async run(t) {
      const [a, b] = [await t.open(), await t.open()]
      const name = t.name()
      for (const locks of [a, a, b]) await locks.acquire(name, { mode: 'shared' })
      const { held } = await b.query(name)
      assert.deepEqual(
        held.map(({ mode }) => mode),
        ['shared', 'shared', 'shared'],
      )
      assert.equal(new Set(held.map(({ clientId }) => clientId)).size, 2)
    },
  },
  {
    id: 'query/permits',
    line: 21,
    title: 'the entries of a semaphore show its limit and their weight',
    requires: { semaphore: true },
    async run(t) {
      const [a, b] = [await t.open(), await t.open()]
      const name = t.name()
      const held = await a.acquire(name, { permits: 3, weight: 2 })
      const waiting = b.acquire(name, { permits: 3, weight: 3 })
      await t.queued(a, name, 1)
      const found = await a.query(name)
      const shown = [...found.held, ...found.pending].map(({ mode, permits, weight }) => ({ mode, permits, weight }))
      assert.deepEqual(shown, [
        { mode: 'permit', permits: 3, weight: 2 },
        { mode: 'permit', permits: 3, weight: 3 },
      ])
      await held.release()
      await waiting
    },
  },
  {
    id: 'query/order',
    line: 13,
    title: 'pending is in queue order, across clients',
    requires: { order: 'fifo' },
    async run(t) {
      const clients = [
        await t.open({ owner: 'a' }),
        await t.open({ owner: 'b' }),
        await t.open({ owner: 'c' }),
      ] as const
      const name = t.name()
      const held = await clients[0].acquire(name)
      const waiting = []
      for (const [count, index] of [2, 0, 1, 1, 0, 2].entries()) {
        waiting.push(clients[index]!.request(name, () => {}))
        await t.queued(clients[0], name, count + 1)
      }
      for (const locks of clients) {
        const { pending } = await locks.query(name)
        assert.deepEqual(
          pending.map(({ owner }) => owner),
          ['c', 'a', 'b', 'b', 'a', 'c'],
        )
      }
      await held.release()
      await Promise.all(waiting)
    },
  },
  {
    id: 'query/own-calls',
    line: 13,
    title: 'reflects every earlier call of its manager about a name, awaited or not',
    async run(t) {
      const locks = await t.open()
      const name = t.name()
      const first = locks.acquire(name)
      const second = locks.acquire(name)
      const third = locks.acquire(name)
      const found = await locks.query(name)
      assert.deepEqual([found.held.length, found.pending.length], [1, 2])
      const released = (await first).release()
      const later = await locks.query(name)
      assert.equal(later.held.length + later.pending.length, 2)
      assert.equal(await released, 'released')
      await (await second).release()
      const last = (await third).release()
      assert.deepEqual(await locks.query(name), empty)
      await last
    },
  },
  {
    id: 'query/own-calls-listed',
    line: 13,
    title: 'a list of all names reflects every earlier call of its manager, awaited or not',
    requires: { listing: 'complete' },
    async run(t) {
      const locks = await t.open()
      const names = Array.from({ length: 10 }, () => t.name())
      const taken = names.map((name) => locks.acquire(name))
      assert.deepEqual((await locks.query()).held.map(({ name }) => name).toSorted(), names.toSorted())
      const released = (await Promise.all(taken)).map((lock) => lock.release())
      assert.deepEqual(await locks.query(), empty)
      await Promise.all(released)
    },
  },
  {
    id: 'query/one-name',
    line: 21,
    title: 'of one name it shows that name’s entries only',
    async run(t) {
      const [a, b] = [await t.open(), await t.open()]
      const [name, other] = [t.name(), t.name()]
      await a.acquire(name)
      await b.acquire(other)
      const { held, pending } = await b.query(name)
      assert.deepEqual([held.map((info) => info.name), pending], [[name], []])
    },
  },
  {
    id: 'query/namespace',
    line: 21,
    title: 'a list of all names shows this namespace only',
    requires: { listing: 'complete' },
    async run(t) {
      const [a, b] = [await t.open(), await t.open()]
      const others = await Promise.all(['x', '/x'].map((end) => t.open({ namespace: `${t.namespace}${end}` })))
      const names = [t.name(), t.name()]
      await a.acquire(names[0]!)
      await b.acquire(names[1]!)
      for (const each of others) await each.acquire(names[0]!)
      assert.deepEqual((await a.query()).held.map(({ name }) => name).toSorted(), names.toSorted())
      for (const each of others)
        assert.deepEqual(
          (await each.query()).held.map(({ name }) => name),
          [names[0]],
        )
    },
  },
  {
    id: 'query/listed',
    line: 21,
    title: 'a list of all names has the holders and waiters of every client',
    requires: { listing: 'complete' },
    async run(t) {
      const [a, b] = [await t.open({ owner: 'a' }), await t.open({ owner: 'b' })]
      const names = [t.name(), t.name(), t.name()]
      const locks = await Promise.all(names.map((name) => a.acquire(name)))
      const waiting = names.map((name) => b.acquire(name))
      for (const name of names) await t.queued(a, name, 1)
      const { held, pending } = await b.query()
      assert.deepEqual(
        held.map(({ name, owner }) => `${name} ${owner}`).toSorted(),
        names.map((name) => `${name} a`),
      )
      assert.deepEqual(
        pending.map(({ name, owner }) => `${name} ${owner}`).toSorted(),
        names.map((name) => `${name} b`),
      )
      await Promise.all(locks.map((lock) => lock.release()))
      await Promise.all(waiting)
    },
  },
  {
    id: 'kind/lock-or-semaphore',
    line: 21,
    title: 'while a name is a lock nobody gets a permit of it, and while it is a semaphore nobody gets a lock',
    requires: { semaphore: true },
    async run(t) {
      const [a, b] = [await t.open(), await t.open()]
      for (const locks of [a, b]) {
        const name = t.name()
        const lock = await a.acquire(name)
        await t.fails(locks.acquire(name, { permits: 2 }), 'INVALID_ARGUMENT')
        await t.fails(locks.tryAcquire(name, { permits: 1 }), 'INVALID_ARGUMENT')
        await lock.release()
        const permit = await a.acquire(name, { permits: 2 })
        await t.fails(locks.acquire(name), 'INVALID_ARGUMENT')
        await t.fails(locks.tryAcquire(name), 'INVALID_ARGUMENT')
        await t.fails(
          locks.request(name, () => {}),
          'INVALID_ARGUMENT',
        )
        await permit.release()
        assert.ok(await locks.tryAcquire(name))
      }
    },
  },
  {
    id: 'kind/limit',
    line: 21,
    title: 'a semaphore has one limit while it has any entry, and the error names it',
    requires: { semaphore: true },
    async run(t) {
      const [a, b] = [await t.open(), await t.open()]
      for (const locks of [a, b]) {
        const name = t.name()
        const permit = await a.acquire(name, { permits: 4 })
        for (const permits of [3, 5, 1]) {
          const { message } = await t.fails(locks.acquire(name, { permits }), 'INVALID_ARGUMENT')
          assert.match(message, /\b4\b/)
          await t.fails(locks.tryAcquire(name, { permits }), 'INVALID_ARGUMENT')
        }
        const second = await locks.tryAcquire(name, { permits: 4 })
        await permit.release()
        await t.fails(locks.acquire(name, { permits: 3 }), 'INVALID_ARGUMENT')
        await second?.release()
        assert.ok(await locks.tryAcquire(name, { permits: 3 }))
      }
    },
  },
  {
    id: 'kind/waiting',
    line: 21,
    title: 'an entry that only waits keeps the kind and the limit too',
    requires: { semaphore: true },
    async run(t) {
      const [a, b] = [await t.open(), await t.open()]
      const name = t.name()
      const held = await a.acquire(name, { permits: 2, weight: 2 })
      const waiting = b.acquire(name, { permits: 2, weight: 2 })
      await t.queued(a, name, 1)
      const released = held.release()
      await t.fails(a.acquire(name, { permits: 3 }), 'INVALID_ARGUMENT')
      await t.fails(a.acquire(name), 'INVALID_ARGUMENT')
      await released
      await (await waiting).release()
      assert.ok(await a.tryAcquire(name))
    },
  },
]
