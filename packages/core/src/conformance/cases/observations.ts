import assert from 'node:assert/strict'
import type { Case } from '../case.ts'
import { thrown } from '../context.ts'

export const observations: readonly Case[] = [
  {
    id: 'observations/changes',
    line: 22,
    title: 'an observer is told who leads, and then each change: as plain objects, and never the same twice in a row',
    requires: { elections: true },
    async run(t) {
      const [a, b] = [await t.open({ owner: 'a' }), await t.open({ owner: 'b' })]
      const name = t.name()
      const observed = t.observe(b, name)
      await t.until('it is told that nobody leads', () => observed.seen.length === 1)
      for (const [index, locks] of [a, b, a, a].entries()) {
        const leadership = await locks.election(name).campaign({ value: String(index) })
        await t.until(`leader ${index} is seen`, () => observed.value() === String(index))
        await leadership.resign()
        await t.until('nobody is seen to lead', () => observed.seen.at(-1) === null)
      }
      const values = observed.seen.map((leader) => leader && [leader.value, leader.owner].join(' '))
      assert.deepEqual(values, [null, '0 a', null, '1 b', null, '2 a', null, '3 a', null])
      for (const leader of observed.seen) if (leader) assert.equal(Object.getPrototypeOf(leader), Object.prototype)
    },
  },
  {
    id: 'observations/notified',
    line: 22,
    title: 'changes are told by the store: they come long before an observer would look again',
    requires: { elections: true },
    async run(t) {
      const [a, b] = [await t.open(), await t.open()]
      const name = t.name()
      const observed = t.observe(b, name)
      await t.until('it is told that nobody leads', () => observed.seen.length === 1)
      // Ten changes, each of which would take a third of the ttl, 6.7 s, if the observer only looked.
      for (let round = 0; round < 5; round++) {
        const leadership = await a.election(name).campaign({ value: String(round) })
        await t.until('the leader is seen', () => observed.value() === String(round), 2_000)
        await leadership.resign()
        await t.until('nobody is seen to lead', () => observed.seen.at(-1) === null, 2_000)
      }
    },
  },
  {
    id: 'observations/succession',
    line: 22,
    title: 'an observer sees those who wait take over from each other, in order, and the same client lead anew',
    requires: { elections: true },
    async run(t) {
      const [a, b] = [await t.open(), await t.open()]
      const name = t.name()
      const observed = t.observe(b, name)
      let leadership = await a.election(name).campaign({ value: '0' })
      for (let round = 1; round <= 6; round++) {
        const next = a.election(name).campaign({ value: String(round % 2) })
        await t.queued(b, name, 1)
        await t.until('the leader is seen', () => observed.value() === leadership.value)
        await leadership.resign()
        leadership = await next
      }
      await t.until('the last leader is seen', () => observed.value() === leadership.value)
      const values = observed.seen.flatMap((leader) => leader?.value ?? [])
      assert.deepEqual(values, ['0', '1', '0', '1', '0', '1', '0'])
    },
  },
  {
    id: 'observations/slow-reader',
    line: 22,
    title: 'whoever reads slowly is given what is newest, and one leadership is told from another that is alike',
    requires: { elections: true },
    async run(t) {
      const [a, b] = [await t.open(), await t.open()]
      const name = t.name()
      const lead = (value: string) => a.election(name).campaign({ value })
      const leaders = b.election(name).observe()
      t.defer(() => leaders.return?.())
      assert.deepEqual(await leaders.next(), { value: null })
      for (let each = 0; each < 20; each++) await (await lead('passing')).resign()
      const last = await lead('last')
      let reads = 0
      await t.until('the newest is given', async () => ++reads > 0 && (await leaders.next()).value?.value === 'last')
      // Each of the others was one to be read, and those who did not lead in between as many more.
      assert.ok(reads < 20, `${reads} reads`)
      await last.resign()
      assert.deepEqual(await leaders.next(), { value: null })
      const first = await lead('alike')
      assert.equal((await leaders.next()).value?.value, 'alike')
      const next = lead('alike')
      await t.queued(a, name, 1)
      await first.resign()
      const { value } = await leaders.next()
      // Nobody may have been seen to lead in between.
      assert.equal((value ?? (await leaders.next()).value)?.value, 'alike')
      assert.ok((await next).held)
    },
  },
  {
    id: 'observations/plain-lock',
    line: 22,
    title: 'plain locks of the name are nobody to an observer',
    requires: { elections: true },
    async run(t) {
      const [a, b] = [await t.open(), await t.open()]
      const name = t.name()
      const observed = t.observe(b, name)
      await t.until('it is told that nobody leads', () => observed.seen.length === 1)
      await a.request(name, () => {})
      await a.request(name, () => {})
      await a.election(name).campaign({ value: 'leader' })
      await t.until('the leader is seen', () => observed.value() === 'leader')
      assert.equal(observed.seen.length, 2)
    },
  },
  {
    id: 'observations/ends',
    line: 22,
    title: 'an observation ends with its signal, with return, also while it waits, and with the manager',
    requires: { elections: true },
    async run(t) {
      const locks = await t.open()
      const election = locks.election(t.name())
      const reason = new Error('seen enough')
      assert.equal(await thrown(election.observe({ signal: AbortSignal.abort(reason) }).next()), reason)

      const controller = new AbortController()
      const aborted = election.observe({ signal: controller.signal })
      assert.deepEqual(await aborted.next(), { value: null })
      const waiting = thrown(aborted.next())
      controller.abort(reason)
      assert.equal(await waiting, reason)
      assert.deepEqual(await aborted.next(), { done: true, value: undefined })

      const returned = election.observe()
      assert.deepEqual(await returned.next(), { value: null })
      const pending = returned.next()
      assert.deepEqual(await returned.return?.(), { done: true, value: undefined })
      assert.deepEqual(await pending, { done: true, value: undefined })

      const unread = election.observe()
      await unread.return?.()
      assert.deepEqual(await unread.next(), { done: true, value: undefined })

      for await (const leader of election.observe()) {
        assert.equal(leader, null)
        break
      }

      const open = t.observe(locks, t.name())
      await t.until('it is told that nobody leads', () => open.seen.length === 1)
      await locks.close()
      await t.fails(open.ended, 'CLOSED')
      await t.fails(election.observe().next(), 'CLOSED')
    },
  },
  {
    id: 'observations/dead-leader',
    line: 22,
    title: 'a leader that falls silent is seen to be gone, also where nobody follows',
    requires: { elections: true },
    async run(t) {
      const { locks: leading, wire } = await t.openWired({ ttl: t.ttl })
      const locks = await t.open({ ttl: t.ttl })
      const name = t.name()
      await leading.election(name).campaign({ value: 'silent' })
      const observed = t.observe(locks, name)
      await t.until('the leader is seen', () => observed.value() === 'silent')
      await wire.silence()
      const bound = t.ttl + t.capabilities.takeover + t.ttl / 2
      await t.until('it is seen to be gone', () => observed.seen.at(-1) === null, bound)
      await wire.heal()
    },
  },
  {
    id: 'observations/lost-notification',
    line: 22,
    title: 'news that is lost is only late',
    requires: { elections: true },
    async run(t) {
      const { locks, wire } = await t.openWired({ ttl: t.ttl })
      const other = await t.open()
      const name = t.name()
      const observed = t.observe(locks, name)
      await t.until('it is told that nobody leads', () => observed.seen.length === 1)
      await wire.deafen()
      await other.election(name).campaign({ value: 'unheard of' })
      await t.until('the leader is seen', () => observed.value() === 'unheard of', 2 * t.ttl)
    },
  },
  {
    id: 'observations/outage',
    line: 22,
    title: 'an observation outlives an outage and an end of the session, and tells what has changed meanwhile',
    requires: { elections: true },
    async run(t) {
      const { locks, wire } = await t.openWired({ ttl: t.ttl })
      const other = await t.open()
      const name = t.name()
      const observed = t.observe(locks, name)
      const first = await other.election(name).campaign({ value: 'before' })
      await t.until('the leader is seen', () => observed.value() === 'before')
      await wire.cut()
      const next = other.election(name).campaign({ value: 'after' })
      await first.resign()
      await next
      await wire.heal()
      await t.until('the next leader is seen', () => observed.value() === 'after')
      await wire.end()
      await (await next).resign()
      await t.until('nobody is seen to lead', () => observed.seen.at(-1) === null)
      // And by notification again, after a while that the client needs to be back.
      await t.answered(locks, [name])
      await other.election(name).campaign({ value: 'at last' })
      await t.until('the last leader is seen', () => observed.value() === 'at last')
    },
  },
  {
    id: 'observations/several',
    line: 22,
    title: 'observers of one manager do not disturb each other, and each name has its own',
    requires: { elections: true },
    async run(t) {
      const [a, b] = [await t.open(), await t.open()]
      const [one, two] = [t.name(), t.name()]
      const observers = [t.observe(b, one), t.observe(b, one), t.observe(b, two)] as const
      await t.until('each is told', () => observers.every(({ seen }) => seen.length === 1))
      const passing = b.election(one).observe()
      await passing.next()
      await passing.return?.()
      await a.election(one).campaign({ value: 'one' })
      await t.until(
        'both see it',
        () => observers.every(({ seen }, at) => at === 2 || seen.at(-1)?.value === 'one'),
        2_000,
      )
      await a.election(two).campaign({ value: 'two' })
      await t.until('the third sees its own', () => observers[2].value() === 'two', 2_000)
      assert.deepEqual(
        observers.map(({ seen }) => seen.length),
        [2, 2, 2],
      )
    },
  },
]
