import assert from 'node:assert/strict'
import type { Case } from '../case.ts'
import { thrown } from '../context.ts'
import { holder } from '../requests.ts'

export const requestOrder: readonly Case[] = [
  {
    id: 'request/available-once-settled',
    line: 7,
    title: 'a name is available to everybody as soon as an earlier request for it has settled, by result or error',
    async run(t) {
      const clients = [await t.open(), await t.open()] as const
      const name = t.name()
      for (let round = 0; round < 20; round++) {
        const locks = clients[round % 2]!
        const got = await locks.request(name, { ifAvailable: true }, (lock) => lock !== null)
        assert.equal(got, true, `round ${round}`)
        await thrown(locks.request(name, () => Promise.reject(new Error('mine'))))
      }
    },
  },
  {
    id: 'request/in-call-order',
    line: 13,
    title: 'requests of one tick for one name are granted in the order of the calls',
    requires: { order: 'fifo' },
    async run(t) {
      const locks = await t.open()
      const name = t.name()
      const order: number[] = []
      await Promise.all(Array.from({ length: 20 }, (_, call) => locks.request(name, () => order.push(call))))
      assert.deepEqual(
        order,
        Array.from({ length: 20 }, (_, call) => call),
      )
    },
  },
  {
    id: 'request/shared-behind-exclusive',
    line: 13,
    title: 'shared holders coexist, an exclusive request waits for all of them, and later shared ones wait behind it',
    requires: { shared: true, order: 'fifo' },
    async run(t) {
      const [a, b] = [await t.open(), await t.open()]
      const name = t.name()
      const readers = [await holder(a, name, { mode: 'shared' }), await holder(b, name, { mode: 'shared' })] as const
      const order: string[] = []
      const writer = b.request(name, () => order.push('writer'))
      await t.queued(a, name, 1)
      const late = a.request(name, { mode: 'shared' }, () => order.push('late reader'))
      await t.queued(a, name, 2)
      readers[0].finish('done')
      await readers[0].call
      assert.deepEqual(
        (await a.query(name)).pending.map(({ mode }) => mode),
        ['exclusive', 'shared'],
      )
      readers[1].finish('done')
      await Promise.all([writer, late])
      assert.deepEqual(order, ['writer', 'late reader'])
    },
  },
  {
    id: 'request/next-holders',
    line: 7,
    title: 'once a request has settled, query already shows the next holders',
    requires: { shared: true, order: 'fifo' },
    async run(t) {
      const [a, b] = [await t.open(), await t.open()]
      const name = t.name()
      const first = await holder(a, name)
      const done = Promise.withResolvers<void>()
      const readers = [a, b, a].map((each) => each.request(name, { mode: 'shared' }, () => done.promise))
      await t.queued(a, name, 3)
      const writer = b.request(name, () => {})
      await t.queued(a, name, 4)
      first.finish('done')
      await first.call
      const { held, pending } = await a.query(name)
      assert.deepEqual(
        held.map(({ mode }) => mode),
        ['shared', 'shared', 'shared'],
      )
      assert.deepEqual(
        pending.map(({ mode }) => mode),
        ['exclusive'],
      )
      done.resolve()
      await Promise.all([...readers, writer])
    },
  },
]
