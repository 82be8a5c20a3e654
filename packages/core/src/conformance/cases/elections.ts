import assert from 'node:assert/strict'
import type { Leadership } from '../../election.ts'
import type { Case } from '../case.ts'
import { thrown } from '../context.ts'
import { bound } from './loss.ts'

export const elections: readonly Case[] = [
  {
    id: 'elections/one-leader',
    line: 22,
    title: 'one leads at a time, everybody is told the same of it, and whoever resigns makes room for the next',
    requires: { elections: true },
    async run(t) {
      const [a, b] = [await t.open({ owner: 'the first' }), await t.open({ owner: 'the second' })]
      const name = t.name()
      assert.equal(await a.election(name).leader(), null)
      const first = await a.election(name).campaign({ value: 'one' })
      const waiting = b.election(name).campaign({ value: 'two' })
      await t.queued(a, name, 1)
      for (const locks of [a, b]) {
        const { value, owner, clientId } = (await locks.election(name).leader()) ?? assert.fail('nobody leads')
        assert.deepEqual([value, owner], ['one', 'the first'])
        assert.equal(clientId, (await a.query(name)).held[0]?.clientId)
      }
      assert.equal(await first.resign(), 'released')
      const second = await waiting
      assert.deepEqual([first.held, second.held, second.name, second.mode], [false, true, name, 'exclusive'])
      assert.deepEqual([first.value, second.value], ['one', 'two'])
      assert.equal((await a.election(name).leader())?.owner, 'the second')
      assert.equal(await second.release(), 'released')
      await t.until('nobody leads', async () => (await a.election(name).leader()) === null)
    },
  },
  {
    id: 'elections/token',
    line: 22,
    title: 'a leadership has a fencing token, higher than that of every earlier one, and others are told of it',
    requires: { elections: true, fencing: 'volatile' },
    async run(t) {
      const [a, b] = [await t.open(), await t.open()]
      const name = t.name()
      let last = 0n
      for (const [index, locks] of [a, b, b, a].entries()) {
        const leadership = await locks.election(name).campaign({ value: String(index) })
        assert.ok(leadership.token > last, `${leadership.token} after ${last}`)
        last = leadership.token
        const leader = await a.election(name).leader()
        assert.equal(leader?.token, leadership.token)
        await leadership.resign()
      }
    },
  },
  {
    id: 'elections/value',
    line: 22,
    title: 'a value is any text of up to 4,096 code units, returned unchanged; nothing else is taken',
    requires: { elections: true },
    async run(t) {
      const [a, b] = [await t.open(), await t.open()]
      const values = [
        '',
        ' ',
        'http://host:1/?a=b',
        '{"a":[1,"\\"]}',
        "NUL \0, quote ', \n",
        '\uD800 lone \uDC00',
        '💡'.repeat(2_048),
      ]
      for (const value of values) {
        const name = t.name()
        const leadership = await a.election(name).campaign({ value })
        assert.equal(leadership.value, value)
        assert.equal((await b.election(name).leader())?.value, value)
        await leadership.resign()
      }
      const name = t.name()
      const silent = await a.election(name).campaign()
      assert.deepEqual([silent.value, (await b.election(name).leader())?.value], ['', ''])
      for (const value of ['x'.repeat(4_097), 1, null, { a: 1 }]) {
        await t.fails(b.election(name).campaign({ value: value as string }), 'INVALID_ARGUMENT')
      }
      assert.deepEqual((await a.query(name)).pending, [])
    },
  },
  {
    id: 'elections/input',
    line: 22,
    title: 'wrong names and options are refused with what is allowed, and nothing is sent',
    requires: { elections: true },
    async run(t) {
      const { locks, wire } = await t.openWired()
      await t.sendsNothing(wire, async () => {
        await t.fails(() => locks.election(1 as unknown as string), 'INVALID_ARGUMENT')
        await t.fails(() => locks.election('-reserved'), 'UNSUPPORTED')
        const election = locks.election(t.name())
        const unknown = await t.fails(election.campaign({ mode: 'shared' } as object), 'INVALID_ARGUMENT')
        assert.match(unknown.message, /known are value, timeout, signal/)
        await t.fails(election.campaign({ timeout: -1 }), 'INVALID_ARGUMENT')
        await t.fails(() => election.observe({ every: 1 } as object), 'INVALID_ARGUMENT')
      })
    },
  },
  {
    id: 'elections/wait-ends',
    line: 22,
    title: 'a campaign ends with its signal or time-out and leaves nobody behind',
    requires: { elections: true },
    async run(t) {
      const [a, b] = [await t.open(), await t.open()]
      const name = t.name()
      const leadership = await a.election(name).campaign()
      const election = b.election(name)
      await t.fails(election.campaign({ timeout: 0 }), 'TIMEOUT')
      await t.fails(election.campaign({ timeout: 50 }), 'TIMEOUT')
      const controller = new AbortController()
      const aborted = thrown(election.campaign({ signal: controller.signal }))
      await t.queued(a, name, 1)
      const reason = new Error('no more interest')
      controller.abort(reason)
      assert.equal(await aborted, reason)
      await t.queued(a, name, 0)
      assert.equal(leadership.held, true)
    },
  },
  {
    id: 'elections/plain-lock',
    line: 22,
    title:
      'an election is the exclusive lock of its name: whoever holds it otherwise keeps campaigns waiting, and leads nobody',
    requires: { elections: true },
    async run(t) {
      const [a, b] = [await t.open(), await t.open()]
      const name = t.name()
      const lock = await a.acquire(name)
      const waiting = b.election(name).campaign({ value: 'leader' })
      await t.queued(a, name, 1)
      assert.equal(await a.election(name).leader(), null)
      await lock.release()
      const leadership = await waiting
      assert.equal((await a.election(name).leader())?.value, 'leader')
      assert.equal(await a.tryAcquire(name), null)
      await leadership.resign()
      assert.ok(await a.acquire(name, { timeout: 5_000 }))
    },
  },
  {
    id: 'elections/loss',
    line: 22,
    title: 'a leadership that ends at the store is lost as a lock is, and another leads',
    requires: { elections: true },
    async run(t) {
      const [a, b] = [await t.open({ ttl: t.ttl }), await t.open({ ttl: t.ttl })]
      const name = t.name()
      const leadership = await a.election(name).campaign({ value: 'deposed' })
      const waiting = b.election(name).campaign({ value: 'next' })
      await t.queued(b, name, 1)
      await t.evict(name)
      await t.until('the loss is told', () => leadership.signal.aborted, bound(t))
      assert.equal(leadership.held, false)
      assert.equal(await leadership.resign(), 'lost')
      await t.settles(waiting, t.ttl + t.capabilities.takeover)
      assert.equal((await a.election(name).leader())?.value, 'next')
    },
  },
  {
    id: 'elections/killed-leader',
    line: 22,
    title: 'after kill -9 of the leader the next one leads within ttl + takeover, and observers are told',
    requires: { elections: true, scope: 'machine' },
    async run(t) {
      const [a, b] = [await t.open({ ttl: t.ttl }), await t.open({ ttl: t.ttl })]
      const name = t.name()
      const remote = await t.spawn({ ttl: t.ttl })
      await remote.campaign(name, 'dead')
      const observed = t.observe(b, name)
      await t.until('the first leader is seen', () => observed.value() === 'dead')
      const waiting = a.election(name).campaign({ value: 'next' })
      await t.queued(b, name, 1)
      await remote.kill()
      await t.settles(waiting, t.ttl + t.capabilities.takeover)
      await t.until('the next leader is seen', () => observed.value() === 'next')
    },
  },
  {
    id: 'elections/many',
    line: 22,
    title: 'of twenty who campaign each leads once, one at a time, in the order of arrival where there is one',
    requires: { elections: true },
    async run(t) {
      const clients = [await t.open(), await t.open()]
      const name = t.name()
      const first = await (clients[0] ?? assert.fail()).election(name).campaign()
      const led: number[] = []
      let leading: Leadership | undefined
      const campaigns: Promise<void>[] = []
      for (let index = 0; index < 20; index++) {
        const locks = clients[index % 2] ?? assert.fail()
        const campaign = async () => {
          const leadership = await locks.election(name).campaign({ value: String(index) })
          assert.ok(!leading?.held, 'two lead')
          leading = leadership
          led.push(index)
          assert.equal((await locks.election(name).leader())?.value, String(index))
          await leadership.resign()
        }
        campaigns.push(campaign())
        await t.queued(locks, name, index + 1)
      }
      await first.resign()
      await Promise.all(campaigns)
      const all = Array.from({ length: 20 }, (_, index) => index)
      if (t.capabilities.order === 'fifo') assert.deepEqual(led, all)
      else
        assert.deepEqual(
          led.toSorted((x, y) => x - y),
          all,
        )
    },
  },
]
