import assert from 'node:assert/strict'
import { tokenSpacing } from '../../contract.ts'
import type { Lock } from '../../lock.ts'
import type { LockManager } from '../../manager.ts'
import type { Case } from '../case.ts'
import { pause } from '../context.ts'

const local = { handover: 'local' } as const

/** The tokens of so many holders of a name, in the order in which they held it. */
async function tokensOf(locks: LockManager, name: string, count: number): Promise<bigint[]> {
  const tokens: bigint[] = []
  const held = Array.from({ length: count }, () => locks.request(name, ({ token }) => void tokens.push(token)))
  await Promise.all(held)
  return tokens
}

/** Whether a lock has been granted so far. */
function watched(asked: Promise<Lock>): { readonly granted: boolean } {
  const seen = { granted: false }
  asked.then(
    () => (seen.granted = true),
    () => {},
  )
  return seen
}

export const handover: readonly Case[] = [
  {
    id: 'handover/in-line',
    line: 23,
    title:
      'callers of one manager are served one at a time in the order of their calls, and one of them waits at the store',
    async run(t) {
      const [a, b] = [await t.open(local), await t.open()]
      const name = t.name()
      const first = await b.acquire(name)
      const order: number[] = []
      let inside = 0
      const waiting = Array.from({ length: 20 }, (_, index) =>
        a.request(name, async () => {
          assert.equal(++inside, 1)
          order.push(index)
          await new Promise((resolve) => setImmediate(resolve))
          inside--
        }),
      )
      if (t.capabilities.order === 'fifo') await t.queued(b, name, 1)
      await first.release()
      await Promise.all(waiting)
      assert.deepEqual(
        order,
        Array.from({ length: 20 }, (_, index) => index),
      )
      await t.empty(b, name)
    },
  },
  {
    id: 'handover/tokens',
    line: 23,
    title: 'each of them has a higher token than the one before, and whoever comes after them a higher one than all',
    requires: { fencing: 'volatile' },
    async run(t) {
      const [a, b] = [await t.open(local), await t.open(local)]
      const name = t.name()
      const tokens: bigint[] = []
      for (const locks of [a, b, a]) {
        tokens.push(...(await tokensOf(locks, name, tokenSpacing + 6)))
        await t.empty(locks, name)
      }
      for (const [at, token] of tokens.entries()) assert.ok(at === 0 || token > (tokens[at - 1] as bigint), `at ${at}`)
    },
  },
  {
    id: 'handover/no-round-trip',
    line: 23,
    title: 'while a lock passes from one of them to the next, nothing leaves for the store',
    async run(t) {
      const { locks, wire } = await t.openWired(local)
      const name = t.name()
      let lock = await locks.acquire(name)
      await t.sendsNothing(wire, async () => {
        for (let turn = 0; turn < 10; turn++) {
          const next = locks.acquire(name)
          assert.equal(await lock.release(), 'released')
          assert.equal(lock.held, false)
          lock = await next
          assert.equal(lock.held, true)
        }
      })
      assert.equal(await lock.release(), 'released')
      await t.empty(locks, name)
    },
  },
  {
    id: 'handover/others-have-their-turn',
    line: 23,
    title: 'whoever waits at the store is served when 64 of one manager have been, however many it has left',
    requires: { order: 'fifo' },
    async run(t) {
      const [a, b] = [await t.open(local), await t.open()]
      const name = t.name()
      const first = await a.acquire(name)
      let served = 1
      const all = Array.from({ length: 3 * tokenSpacing }, () => a.request(name, () => void served++))
      const other = b.acquire(name)
      await t.queued(b, name, 1)
      await first.release()
      const lock = await other
      assert.ok(served <= tokenSpacing, `${served} came before it`)
      await lock.release()
      await Promise.all(all)
    },
  },
  {
    id: 'handover/for-a-second',
    line: 23,
    title: 'what one manager has held for a second goes to whoever waits at the store',
    requires: { order: 'fifo' },
    async run(t) {
      const [a, b] = [await t.open(local), await t.open()]
      const name = t.name()
      const first = await a.acquire(name)
      const next = a.acquire(name)
      const seen = watched(next)
      const other = b.acquire(name)
      await t.queued(b, name, 1)
      await pause(1_100)
      await first.release()
      const lock = await other
      assert.equal(seen.granted, false)
      await lock.release()
      assert.equal((await next).held, true)
    },
  },
  {
    id: 'handover/lost-entry',
    line: 23,
    title: 'what the store has lost is lost to its holder and handed on to nobody: the next one is granted anew',
    async run(t) {
      const a = await t.open({ ...local, ttl: t.ttl })
      const name = t.name()
      const first = await a.acquire(name)
      const waiting = [a.acquire(name), a.acquire(name)]
      await t.evict(name)
      await t.until('the loss is known', () => first.signal.aborted)
      assert.equal(await first.release(), 'lost')
      const second = await waiting[0]!
      assert.equal(second.held, true)
      if (t.capabilities.fencing !== 'none') assert.ok(second.token >= first.token + BigInt(tokenSpacing))
      assert.equal(await second.release(), 'released')
      await (await waiting[1]!).release()
    },
  },
  {
    id: 'handover/not-past-the-deadline',
    line: 23,
    title: 'what the store has not confirmed in time is handed on to nobody',
    async run(t) {
      const { locks, wire } = await t.openWired({ ...local, ttl: t.ttl })
      const other = await t.open()
      const name = t.name()
      const first = await locks.acquire(name)
      const next = locks.acquire(name)
      const seen = watched(next)
      await wire.silence()
      await t.until('its time is over', () => !first.held)
      assert.equal(await first.release(), 'lost')
      // Of the entry that may still be alive; a new one cannot come through this line.
      await pause(t.ttl / 2)
      assert.equal(seen.granted, false)
      await wire.heal()
      assert.equal((await next).held, true)
      assert.equal(await other.tryAcquire(name), null)
    },
  },
  {
    id: 'handover/who-leaves',
    line: 23,
    title: 'who gives up in line is passed over, and who gives up at the store is followed there by the next',
    async run(t) {
      const [a, b] = [await t.open(local), await t.open()]
      const name = t.name()
      const first = await b.acquire(name)
      const [one, other] = [new AbortController(), new AbortController()]
      const contender = a.acquire(name, { signal: one.signal })
      const inLine = a.acquire(name, { signal: other.signal })
      const late = a.acquire(name, { timeout: 50 })
      const last = a.acquire(name)
      await t.fails(late, 'TIMEOUT')
      other.abort()
      await assert.rejects(inLine, { name: 'AbortError' })
      one.abort()
      await assert.rejects(contender, { name: 'AbortError' })
      if (t.capabilities.order === 'fifo') await t.queued(b, name, 1)
      await first.release()
      const lock = await last
      assert.equal(lock.held, true)
      await lock.release()
      await t.empty(b, name)
    },
  },
  {
    id: 'handover/try',
    line: 23,
    title: 'a try is refused while the manager itself holds, and does not stand in line',
    async run(t) {
      const a = await t.open(local)
      const name = t.name()
      const first = await a.acquire(name)
      const next = a.acquire(name)
      assert.equal(await a.tryAcquire(name), null)
      await t.fails(a.acquire(name, { timeout: 0 }), 'TIMEOUT')
      await first.release()
      await (await next).release()
      await t.empty(a, name)
      assert.ok(await a.tryAcquire(name))
    },
  },
  {
    id: 'handover/stolen',
    line: 23,
    title: 'a thief takes the lock from whoever has it by then, and the line goes on behind the thief',
    requires: { steal: true },
    async run(t) {
      const [a, b] = [await t.open(local), await t.open()]
      const name = t.name()
      const first = await a.acquire(name)
      const waiting = [a.acquire(name), a.acquire(name)]
      await first.release()
      const second = await waiting[0]!
      const thief = await b.acquire(name, { steal: true })
      await t.until('the loss is known', () => second.signal.aborted)
      assert.equal(thief.held, true)
      if (t.capabilities.fencing !== 'none') assert.ok(thief.token > second.token)
      await thief.release()
      assert.equal((await waiting[1]!).held, true)
    },
  },
  {
    id: 'handover/close',
    line: 23,
    title: 'closing the manager ends the wait of all in line, and its lock goes to others',
    async run(t) {
      const [a, b] = [await t.open(local), await t.open()]
      const name = t.name()
      await a.acquire(name)
      const waiting = [a.acquire(name), a.acquire(name)]
      const other = b.acquire(name)
      const closing = a.close()
      for (const each of waiting) await t.fails(each, 'CLOSED')
      await closing
      assert.equal((await other).held, true)
    },
  },
  {
    id: 'handover/killed',
    line: 23,
    title: 'a token that a killed process has handed on is never given again',
    requires: { scope: 'machine', fencing: 'volatile' },
    async run(t) {
      const locks = await t.open()
      const remote = await t.spawn({ ...local, ttl: t.ttl })
      const name = t.name()
      let lock = await remote.acquire(name)
      for (let turn = 0; turn < 5; turn++) {
        const next = remote.acquire(name)
        await lock.release()
        lock = await next
      }
      const after = locks.acquire(name)
      await remote.kill()
      assert.ok((await after).token > lock.token)
    },
  },
  {
    id: 'handover/promises',
    line: 23,
    title: 'a manager that hands over locally promises no order among all, and is refused where one is required',
    async run(t) {
      assert.equal((await t.open(local)).capabilities.order, 'none')
      assert.deepEqual((await t.open({ handover: 'store' })).capabilities, t.capabilities)
      await t.fails(() => t.open({ ...local, require: { order: 'fifo' } }), 'UNSUPPORTED')
      const wrong = await t.fails(() => t.open({ handover: 'process' as 'local' }), 'INVALID_ARGUMENT')
      assert.match(wrong.message, /"store", "local"/)
    },
  },
]
