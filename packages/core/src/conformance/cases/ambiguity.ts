import assert from 'node:assert/strict'
import type { Case } from '../case.ts'
import { pause, thrown, type Context } from '../context.ts'
import type { Lock } from '../../lock.ts'

/** Within which whoever gives up is answered, however silent the store. */
const prompt = 1_000
/** Milliseconds within which every store can be connected to, also on a busy machine. */
const connectTimeout = 2_000

export const ambiguity: readonly Case[] = [
  {
    id: 'ambiguity/dropped-answer-of-an-acquire',
    line: 10,
    title: 'an acquire whose answer was lost recognises its own entry and becomes a valid lock',
    async run(t) {
      const calm = watchRejections(t)
      const { locks, wire } = await t.openWired({ ttl: 2 * t.ttl })
      const other = await t.open()
      const name = t.name()
      await wire.dropAnswers()
      const asked = locks.acquire(name)
      await t.until('the store has granted it', async () => (await other.query(name)).held.length === 1)
      await wire.heal()
      // Long before its own entry expires, behind which it would wait for itself.
      await t.settles(asked, 1.5 * t.ttl)
      const lock = await asked
      assert.equal(lock.held, true)
      assert.equal((await other.query(name)).held.length, 1)
      assert.equal(await other.tryAcquire(name), null)
      assert.equal(await lock.release(), 'released')
      await t.empty(other, name)
      await calm()
    },
  },
  {
    id: 'ambiguity/dropped-answer-of-a-wait',
    line: 10,
    title: 'a request that was queued without its client knowing keeps its place and is served',
    async run(t) {
      const { locks, wire } = await t.openWired({ ttl: 4 * t.ttl })
      const other = await t.open()
      const name = t.name()
      const first = await other.acquire(name)
      await wire.dropAnswers()
      const asked = locks.acquire(name)
      await t.queued(other, name, 1)
      await wire.heal()
      await t.until('its client knows', async () => (await locks.query(name)).pending.length === 1)
      await first.release()
      assert.equal((await asked).held, true)
      const { held, pending } = await other.query(name)
      assert.deepEqual([held.length, pending.length], [1, 0])
    },
  },
  {
    id: 'ambiguity/dropped-answers-for-long',
    line: 10,
    title: 'after an outage of every answer the result is a lock that is held, and nothing else is left',
    async run(t) {
      const calm = watchRejections(t)
      const { locks, wire } = await t.openWired({ ttl: t.ttl, connectTimeout })
      const other = await t.open()
      const name = t.name()
      await wire.dropAnswers()
      const asked = locks.acquire(name)
      await pause(1.2 * t.ttl)
      await wire.heal()
      const lock = await asked
      assert.equal(lock.held, true)
      await t.until('one entry is left', async () => (await other.query(name)).held.length === 1)
      await lock.release()
      await t.empty(other, name, t.ttl + t.capabilities.takeover)
      await calm()
    },
  },
  {
    id: 'ambiguity/asked-again-after-many-attempts',
    line: 10,
    title: 'after many failed attempts an answer that is lost is asked for again within a bounded time',
    requires: { reconnects: true },
    async run(t) {
      const { locks, wire } = await t.openWired({ ttl: 2 * t.ttl })
      const other = await t.open()
      const names = [t.name(), t.name(), t.name(), t.name()]
      await wire.cut()
      const before = await wire.sent()
      const asked = names.map((name) => locks.acquire(name))
      const end = performance.now() + t.ttl
      const often = async () => (await wire.sent()) >= before + 5 * names.length || performance.now() > end
      await t.until('they have failed often', often)
      // No driver connects without answers. Some may be granted in this moment, but hardly all.
      await wire.heal()
      await t.answered(locks, names)
      await wire.dropAnswers()
      // Or the connection has been given up, because it was silent.
      const late = performance.now() + 2 * t.ttl
      for (const name of names) {
        const granted = async () => (await other.query(name)).held.length === 1 || performance.now() > late
        await t.until('the store has granted it', granted)
      }
      await wire.heal()
      await t.settles(Promise.all(asked), 4 * t.ttl)
    },
  },
  {
    id: 'ambiguity/dropped-answer-of-a-try',
    line: 10,
    title: 'a try whose answer is lost is never null: it rejects in time, and the name is free within the ttl',
    async run(t) {
      const calm = watchRejections(t)
      const { locks, wire } = await t.openWired({ ttl: t.ttl, connectTimeout })
      const other = await t.open()
      const name = t.name()
      await wire.dropAnswers()
      const tried = locks.tryAcquire(name)
      await t.settles(tried, connectTimeout + prompt)
      await t.fails(tried, 'OUTCOME_UNKNOWN')
      await wire.heal()
      await t.empty(other, name, t.ttl + t.capabilities.takeover)
      await t.answered(locks, [name])
      await t.free(locks, name, t.ttl + t.capabilities.takeover)
      await calm()
    },
  },
  {
    id: 'ambiguity/dropped-answer-of-a-try-that-comes-back',
    line: 10,
    title: 'a try whose first answer is lost finds its own lock and not somebody else’s',
    // Where a session does not outlive its connection the try rejects: another session cannot know whose lock it finds.
    requires: { reconnects: true },
    async run(t) {
      const { locks, wire } = await t.openWired({ ttl: 2 * t.ttl })
      const other = await t.open()
      const name = t.name()
      await wire.dropAnswers()
      const tried = locks.tryAcquire(name)
      await t.until('the store has granted it', async () => (await other.query(name)).held.length === 1)
      await wire.heal()
      const lock = await tried
      assert.equal(lock?.held, true)
      assert.equal(await other.tryAcquire(name), null)
    },
  },
  {
    id: 'ambiguity/unknown-stays-unknown',
    line: 10,
    title: 'a try that may have been applied rejects with OUTCOME_UNKNOWN, also when its last attempt surely was not',
    requires: { reconnects: true },
    async run(t) {
      const { locks, wire } = await t.openWired({ ttl: t.ttl, connectTimeout })
      const other = await t.open()
      const name = t.name()
      await wire.dropAnswers()
      const tried = locks.tryAcquire(name)
      await t.until('the store has granted it', async () => (await other.query(name)).held.length === 1)
      await wire.cut()
      await t.fails(tried, 'OUTCOME_UNKNOWN')
      await wire.heal()
      await t.empty(other, name, t.ttl + t.capabilities.takeover)
    },
  },
  {
    id: 'ambiguity/never-waits-for-itself',
    line: 10,
    title: 'a client that gave up after a lost answer does not wait for its own orphan when it asks again',
    async run(t) {
      const { locks, wire } = await t.openWired()
      const other = await t.open()
      const name = t.name()
      await wire.dropAnswers()
      const lost = locks.acquire(name, { timeout: 300 })
      await t.until('the store has granted it', async () => (await other.query(name)).held.length === 1)
      // The orphan cannot be removed now, and would hold the name for a long ttl.
      await wire.cut()
      await t.fails(lost, 'TIMEOUT')
      const again = locks.acquire(name)
      await wire.heal()
      await t.settles(again, 10_000)
      assert.equal((await again).held, true)
      assert.equal((await other.query(name)).held.length, 1)
    },
  },
  {
    id: 'ambiguity/orphan-removed',
    line: 11,
    title:
      'what a call of unknown outcome left at the store is removed as soon as that can be reached, and long before the ttl',
    requires: { reconnects: true },
    async run(t) {
      const calm = watchRejections(t)
      const { locks, wire } = await t.openWired()
      const other = await t.open()
      const name = t.name()
      const stop = new AbortController()
      await wire.dropAnswers()
      const asked = locks.acquire(name, { signal: stop.signal })
      await t.until('the store has granted it', async () => (await other.query(name)).held.length === 1)
      await wire.cut()
      stop.abort()
      assert.equal(await thrown(asked), stop.signal.reason)
      await pause(200)
      assert.equal((await other.query(name)).held.length, 1)
      await wire.heal()
      const next = other.acquire(name)
      await t.settles(next, 8_000)
      await calm()
    },
  },
  {
    id: 'ambiguity/silent-abort',
    line: 11,
    title: 'aborting settles within a second when the store has gone silent, with the signal’s reason',
    async run(t) {
      const calm = watchRejections(t)
      const { locks, wire } = await t.openWired()
      const other = await t.open()
      const [free, taken] = [t.name(), t.name()]
      await other.acquire(taken)
      const stop = new AbortController()
      const queued = locks.acquire(taken, { signal: stop.signal })
      await t.queued(other, taken, 1)
      await wire.silence()
      const asked = [
        queued,
        locks.acquire(free, { signal: stop.signal }),
        locks.request(free, { signal: stop.signal }, () => {}),
      ]
      const reason = new Error('enough')
      stop.abort(reason)
      const outcomes = Promise.all(asked.map(thrown))
      await t.settles(outcomes, prompt)
      assert.deepEqual(await outcomes, [reason, reason, reason])
      await wire.heal()
      await locks.query(free)
      await t.empty(other, free)
      await t.until('no waiter is left', async () => (await other.query(taken)).pending.length === 0)
      await calm()
    },
  },
  {
    id: 'ambiguity/silent-timeout',
    line: 11,
    title: 'a time-out settles within a second of its end when the store has gone silent',
    async run(t) {
      const calm = watchRejections(t)
      const { locks, wire } = await t.openWired()
      const other = await t.open()
      const [free, taken] = [t.name(), t.name()]
      await other.acquire(taken)
      await wire.silence()
      const asked = [locks.acquire(free, { timeout: 100 }), locks.acquireAll([taken, free], { timeout: 100 })]
      await t.settles(Promise.allSettled(asked), 100 + prompt)
      for (const each of asked) await t.fails(each, 'TIMEOUT')
      await wire.heal()
      await locks.query(free)
      await t.empty(other, free)
      await t.until('no waiter is left', async () => (await other.query(taken)).pending.length === 0)
      await calm()
    },
  },
  {
    id: 'ambiguity/silent-close',
    line: 11,
    title: 'closing settles within a second when the store has gone silent, and so does everybody who waits',
    async run(t) {
      const calm = watchRejections(t)
      const { locks, wire } = await t.openWired({ ttl: t.ttl })
      const other = await t.open()
      const [released, held, taken, free] = [t.name(), t.name(), t.name(), t.name()]
      await other.acquire(taken)
      const lock = await locks.acquire(released)
      await locks.acquire(held)
      const queued = locks.acquire(taken)
      await t.queued(other, taken, 1)
      await wire.silence()
      const releasing = lock.release()
      const calls = [queued, locks.acquire(free), locks.tryAcquire(free), locks.query(free)]
      await t.settles(Promise.allSettled([locks.close(), releasing, ...calls]), prompt)
      for (const each of calls) await t.fails(each, 'CLOSED')
      await wire.heal()
      for (const name of [released, held, free]) await t.empty(other, name, t.ttl + t.capabilities.takeover)
      await t.until('no waiter is left', async () => (await other.query(taken)).pending.length === 0)
      await calm()
    },
  },
  {
    id: 'ambiguity/silent-release',
    line: 11,
    title: 'a release settles in bounded time when the store has gone silent, and goes on behind its caller',
    async run(t) {
      const { locks, wire } = await t.openWired()
      const other = await t.open()
      const [name, running] = [t.name(), t.name()]
      const lock = await locks.acquire(name)
      let released: Promise<string> | undefined
      const request = locks.request(running, async () => {
        await wire.silence()
        released = lock.release()
        return 'result'
      })
      await t.settles(request, 2 * prompt)
      assert.deepEqual([await request, await released], ['result', 'released'])
      await wire.heal()
      await t.empty(other, name)
      await t.empty(other, running)
    },
  },
  {
    id: 'ambiguity/late-grant',
    line: 11,
    title: 'a call that the store receives after its caller gave up leaves no lock behind',
    async run(t) {
      const calm = watchRejections(t)
      const { locks, wire } = await t.openWired()
      const other = await t.open()
      const names = [t.name(), t.name(), t.name()]
      const stop = new AbortController()
      await wire.silence()
      const asked = [
        locks.acquire(names[0]!, { signal: stop.signal }),
        locks.acquire(names[1]!, { timeout: 50 }),
        locks.acquireAll([names[1]!, names[2]!], { signal: stop.signal }),
      ]
      await t.fails(asked[1]!, 'TIMEOUT')
      stop.abort()
      await Promise.allSettled(asked)
      await wire.heal()
      // Comes after all that was sent before it.
      await locks.query(names[0])
      for (const name of names) {
        await t.empty(other, name, 8_000)
        assert.ok(await other.tryAcquire(name))
      }
      await calm()
    },
  },
  {
    id: 'ambiguity/late-grant-event',
    line: 11,
    title: 'a waiter that gives up while the news of its grant is on its way leaves the lock to the next',
    async run(t) {
      // Where the connection is the lock, what is on its way keeps a removal waiting, and its end is the bound.
      const { locks, wire } = await t.openWired(t.capabilities.reconnects ? {} : { ttl: 4 * t.ttl })
      const [a, b] = [await t.open(), await t.open()]
      const name = t.name()
      const first = await a.acquire(name)
      const stop = new AbortController()
      const asked = locks.acquire(name, { signal: stop.signal })
      await t.queued(a, name, 1)
      const next = b.acquire(name)
      await t.queued(a, name, 2)
      await wire.delayAnswers()
      await first.release()
      await t.handedOver(async () => (await a.query(name)).pending.length === 1)
      stop.abort()
      assert.equal(await thrown(asked), stop.signal.reason)
      await t.settles(next, 8_000)
      await wire.heal()
      assert.equal((await next).held, true)
      // Where there is no order, it need not have waited until the other was gone.
      await t.queued(a, name, 0)
      assert.equal((await a.query(name)).held.length, 1)
    },
  },
  {
    id: 'ambiguity/overtaken-call',
    line: 11,
    title: 'a call that reaches the store after its removal was confirmed does not stay, though its answer never comes',
    requires: { reconnects: true },
    async run(t) {
      const { locks, wire } = await t.openWired({ ttl: t.ttl })
      const other = await t.open()
      const [free, taken] = [t.name(), t.name()]
      const first = await other.acquire(taken)
      const stop = new AbortController()
      await wire.silence()
      const before = await wire.sent()
      const asked = [free, taken].map((name) => locks.acquire(name, { signal: stop.signal }))
      await t.until('both have left', async () => (await wire.sent()) >= before + 2)
      await wire.reconnect()
      stop.abort()
      await Promise.allSettled(asked)
      // All that was asked for is gone by now, as far as the store can say.
      await t.until('the removals are confirmed', async () => (await locks.query(taken)).pending.length === 0)
      await t.empty(locks, free)
      await pause(t.ttl / 4)
      await wire.heal()
      await first.release()
      const bound = 3 * t.ttl + t.capabilities.takeover
      for (const name of [free, taken]) await t.empty(other, name, bound)
    },
  },
  {
    id: 'ambiguity/news-before-the-answer',
    line: 11,
    title: 'a waiter that hears of its grant before it hears that it was queued keeps what it was granted',
    // Where nobody is next, nobody is granted anything before he asks again.
    requires: { order: 'fifo' },
    async run(t) {
      const { locks, wire } = await t.openWired()
      const other = await t.open()
      const name = t.name()
      const first = await other.acquire(name)
      await wire.delayAnswers()
      const asked = locks.acquire(name)
      await t.queued(other, name, 1)
      await first.release()
      await t.until('the store has granted it', async () => (await other.query(name)).held.length === 1)
      await wire.heal()
      const lock = await asked
      // Comes after whatever the late answer may have led to.
      await locks.query(name)
      assert.equal(lock.held, true)
      assert.equal(await other.tryAcquire(name), null)
      assert.equal(await lock.release(), 'released')
    },
  },
  {
    id: 'ambiguity/lost-before-the-answer',
    line: 10,
    title:
      'a lock that is gone before its answer comes is lost by the next renewal, though a repeated call has queued it anew',
    // Else no call is repeated in the same session.
    requires: { reconnects: true },
    async run(t) {
      const ttl = 2 * t.ttl
      const { locks, wire } = await t.openWired({ ttl })
      const other = await t.open()
      const name = t.name()
      await wire.delayAnswers()
      const asked = locks.acquire(name)
      await t.until('the store has granted it', async () => (await other.query(name)).held.length === 1)
      await t.evict(name)
      const next = await other.acquire(name)
      // Or nothing is asked again, for as long as the first call has no answer.
      const late = performance.now() + ttl
      const queued = async () => (await other.query(name)).pending.length === 1 || performance.now() > late
      await t.until('a repeated call has queued it', queued)
      let lock: Lock | undefined
      asked.then(
        (found) => (lock = found),
        () => {},
      )
      await wire.heal()
      // Time enough for a renewal, give or take a busy machine.
      await pause(0.75 * ttl)
      assert.deepEqual([lock?.held ?? false, next.held], [false, true])
      await next.release()
      // A client that waits for its turn in place of being told a lie is served.
      if (lock) assert.equal(await lock.release(), 'lost')
      else assert.equal(await (await asked).release(), 'released')
      await t.empty(other, name)
    },
  },
  {
    id: 'ambiguity/stuck-removal',
    line: 11,
    title: 'what cannot be removed within a ttl ends by itself or with its session, and its client goes on',
    async run(t) {
      const { locks, wire } = await t.openWired({ ttl: t.ttl })
      const other = await t.open()
      const name = t.name()
      const lock = await locks.acquire(name)
      await wire.silence()
      await lock.release()
      const waiting = other.acquire(name)
      await t.settles(waiting, t.ttl + t.capabilities.takeover)
      await pause(t.ttl / 2)
      await wire.heal()
      await (await waiting).release()
      const again = locks.acquire(name)
      await t.settles(again, 10_000)
      assert.equal((await again).held, true)
      assert.equal((await other.query(name)).held.length, 1)
    },
  },
  {
    id: 'ambiguity/cancelled-waiter',
    line: 11,
    title: 'nothing of a cancelled waiter remains at the store',
    async run(t) {
      const [a, b] = [await t.open(), await t.open()]
      const name = t.name()
      const first = await a.acquire(name)
      const stop = new AbortController()
      const asked = [
        b.acquire(name, { signal: stop.signal }),
        // Time enough for all three to be seen on a busy machine.
        b.acquire(name, { timeout: 1_000 }),
        b.acquireAll([name, t.name()], { signal: stop.signal }),
      ]
      await t.queued(a, name, 3)
      await t.fails(asked[1]!, 'TIMEOUT')
      stop.abort()
      await Promise.allSettled(asked)
      await t.until('no waiter is left', async () => (await a.query(name)).pending.length === 0)
      await first.release()
      assert.ok(await a.tryAcquire(name))
    },
  },
  {
    id: 'ambiguity/session-ended-while-waiting',
    line: 11,
    title: 'a waiter whose session ends is queued anew in the next one and served',
    async run(t) {
      const calm = watchRejections(t)
      const { locks, wire } = await t.openWired()
      const other = await t.open()
      const name = t.name()
      const first = await other.acquire(name)
      const asked = locks.acquire(name)
      await t.queued(other, name, 1)
      await wire.end()
      await t.queued(locks, name, 1)
      await first.release()
      assert.equal((await asked).held, true)
      const { held, pending } = await other.query(name)
      assert.deepEqual([held.length, pending.length], [1, 0])
      await calm()
    },
  },
  {
    id: 'ambiguity/session-ended-under-a-call',
    line: 10,
    title: 'a call whose session ended before its answer came is made again, and takes nothing over from that session',
    async run(t) {
      // What the session cannot take away with it any more ends with the ttl.
      const { locks, wire } = await t.openWired({ ttl: 2 * t.ttl })
      const other = await t.open()
      const name = t.name()
      await wire.dropAnswers()
      const asked = locks.acquire(name)
      await t.until('the store has granted it', async () => (await other.query(name)).held.length === 1)
      // Healed before the end, the call might be made again in the session that is about to end.
      await wire.cut()
      await wire.end()
      await wire.heal()
      const lock = await asked
      assert.equal(lock.held, true)
      assert.equal((await other.query(name)).held.length, 1)
      assert.equal(await lock.release(), 'released')
      await t.empty(other, name)
    },
  },
]

/** Fails the case, when the function it returns is called at its end, if a rejection had no handler. */
function watchRejections(t: Context): () => Promise<void> {
  const unhandled: unknown[] = []
  const note = (reason: unknown) => void unhandled.push(reason)
  process.on('unhandledRejection', note)
  t.defer(() => process.off('unhandledRejection', note))
  return async () => {
    // They are reported when the microtasks have run.
    await pause(0)
    assert.deepEqual(unhandled, [])
  }
}
