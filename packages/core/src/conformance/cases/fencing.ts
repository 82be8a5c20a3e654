import assert from 'node:assert/strict'
import type { Lock } from '../../lock.ts'
import type { Case } from '../case.ts'

export const fencing: readonly Case[] = [
  {
    id: 'fencing/strictly-rising',
    line: 2,
    title: 'the tokens of a name strictly rise in the order of its grants, whoever they go to',
    requires: { fencing: 'volatile' },
    async run(t) {
      const clients = [await t.open(), await t.open(), await t.open()]
      const name = t.name()
      const tokens: bigint[] = []
      const take = (index: number) => clients[index % 3]!.request(name, ({ token }) => void tokens.push(token))
      for (let round = 0; round < 6; round++) await take(round)
      await Promise.all(Array.from({ length: 24 }, (_, index) => take(index)))
      assertRising(tokens)
      assert.equal(tokens.length, 30)
    },
  },
  {
    id: 'fencing/minted-at-the-grant',
    line: 2,
    title:
      'a token is minted when the lock is granted and not when the request queues, so a thief’s is lower than those of the waiters it overtook',
    requires: { fencing: 'volatile', steal: true },
    async run(t) {
      const [a, b, c] = [await t.open(), await t.open(), await t.open()]
      const name = t.name()
      const tokens = [(await a.acquire(name)).token]
      const waiting = [b, a].map((each) => each.request(name, ({ token }) => void tokens.push(token)))
      await t.queued(a, name, 2)
      for (const thief of [c, b]) {
        const stolen = await thief.acquire(name, { steal: true })
        tokens.push(stolen.token)
        if (thief === b) await stolen.release()
      }
      await Promise.all(waiting)
      assert.equal(tokens.length, 5)
      assertRising(tokens)
    },
  },
  {
    id: 'fencing/over-reopening',
    line: 2,
    title: 'tokens rise over the end of a client that held the lock and the start of another',
    requires: { fencing: 'volatile' },
    async run(t) {
      const witness = await t.open()
      const name = t.name()
      const tokens: bigint[] = []
      for (let round = 0; round < 4; round++) {
        const locks = await t.open()
        const lock = await locks.acquire(name)
        tokens.push(lock.token)
        if (round % 2 === 0) await lock.release()
        await locks.close()
        await t.empty(witness, name)
      }
      tokens.push((await witness.acquire(name)).token)
      assertRising(tokens)
    },
  },
  {
    id: 'fencing/over-everybodys-end',
    line: 2,
    title: 'tokens rise over a time in which nobody is connected',
    requires: { fencing: 'durable' },
    async run(t) {
      const name = t.name()
      const tokens: bigint[] = []
      for (let round = 0; round < 3; round++) {
        const clients = [await t.open(), await t.open()]
        for (const locks of clients) {
          const lock = await locks.acquire(name)
          tokens.push(lock.token)
          await lock.release()
        }
        await Promise.all(clients.map((each) => each.close()))
      }
      assertRising(tokens)
    },
  },
  {
    id: 'fencing/over-eviction',
    line: 2,
    title: 'tokens rise although the holder’s entry is deleted at the store',
    requires: { fencing: 'volatile' },
    async run(t) {
      const [a, b] = [await t.open(), await t.open()]
      const name = t.name()
      const tokens: bigint[] = []
      for (const locks of [a, b, a]) {
        tokens.push((await locks.acquire(name)).token)
        await t.evict(name)
        await t.empty(b, name)
      }
      tokens.push((await b.acquire(name)).token)
      assertRising(tokens)
    },
  },
  {
    id: 'fencing/over-expiry',
    line: 2,
    title: 'tokens rise over a holder that goes silent and expires',
    requires: { fencing: 'volatile' },
    async run(t) {
      const { locks, wire } = await t.openWired({ ttl: t.ttl })
      const other = await t.open()
      const name = t.name()
      const first = await locks.acquire(name)
      const waiting = other.acquire(name)
      await t.queued(other, name, 1)
      await wire.silence()
      const second = await waiting
      await wire.heal()
      await second.release()
      const third = await locks.acquire(name)
      assertRising([first.token, second.token, third.token])
    },
  },
  {
    id: 'fencing/over-a-kill',
    line: 2,
    title: 'tokens rise over kill -9 of processes that held the lock',
    requires: { fencing: 'volatile', scope: 'machine' },
    async run(t) {
      const locks = await t.open()
      const name = t.name()
      const tokens: bigint[] = []
      for (let round = 0; round < 2; round++) {
        const remote = await t.spawn({ ttl: t.ttl })
        tokens.push((await remote.acquire(name)).token)
        await remote.kill()
        const next = await locks.acquire(name)
        tokens.push(next.token)
        await next.release()
      }
      assertRising(tokens)
    },
  },
  {
    id: 'fencing/after-shared-holders',
    line: 2,
    title:
      'an exclusive token is higher than those of all shared holders before it and lower than those of all after it',
    requires: { fencing: 'volatile', shared: true },
    async run(t) {
      const [a, b] = [await t.open(), await t.open()]
      const name = t.name()
      const readers = () => Promise.all([a, b, a].map((each) => each.acquire(name, { mode: 'shared' })))
      const before = await readers()
      const writing = b.acquire(name)
      await t.queued(a, name, 1)
      await releaseAll(before)
      const writer = await writing
      const reading = readers()
      await t.queued(a, name, 3)
      await writer.release()
      const after = await reading
      for (const reader of before) assert.ok(reader.token < writer.token)
      for (const reader of after) assert.ok(reader.token > writer.token)
      await releaseAll(after)
      const last = await a.acquire(name)
      for (const reader of after) assert.ok(reader.token < last.token)
    },
  },
  {
    id: 'fencing/permits',
    line: 2,
    title: 'a permit’s token identifies it: no two permits of a name have the same one',
    requires: { fencing: 'volatile', semaphore: true },
    async run(t) {
      const [a, b] = [await t.open(), await t.open()]
      const name = t.name()
      const tokens = new Set<bigint>()
      for (let round = 0; round < 3; round++) {
        const permits = await Promise.all([a, b, a, b].map((each) => each.acquire(name, { permits: 4 })))
        for (const { token } of permits) tokens.add(token)
        await releaseAll(permits)
      }
      assert.equal(tokens.size, 12)
    },
  },
  {
    id: 'fencing/sets',
    line: 2,
    title: 'a set has a token for each name, in one line with those of single locks',
    requires: { fencing: 'volatile' },
    async run(t) {
      const [a, b] = [await t.open(), await t.open()]
      const names = [t.name(), t.name(), t.name()]
      const before = await Promise.all(names.map((name) => a.acquire(name)))
      const taking = b.acquireAll(names)
      await releaseAll(before)
      const set = await taking
      await set.release()
      const after = await Promise.all(names.map((name) => a.acquire(name)))
      assert.deepEqual([...set.tokens.keys()].toSorted(), names.toSorted())
      names.forEach((name, at) => assertRising([before[at]!.token, set.tokens.get(name)!, after[at]!.token]))
    },
  },
]

function assertRising(tokens: readonly bigint[]): void {
  const rising = tokens.every((token, at) => at === 0 || token > tokens[at - 1]!)
  assert.ok(rising, `tokens that do not rise: ${tokens.join(', ')}`)
}

async function releaseAll(locks: readonly Lock[]): Promise<void> {
  await Promise.all(locks.map((lock) => lock.release()))
}
