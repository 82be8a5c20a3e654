import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { getEventListeners } from 'node:events'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { systemClock, type Clock, type Instant, type Timer } from '../../clock.ts'
import type { LockEvents } from '../../telemetry.ts'
import type { Case } from '../case.ts'
import { pause, thrown } from '../context.ts'

export const resources: readonly Case[] = [
  {
    id: 'resources/cycles',
    line: 19,
    title: '10,000 cycles of acquire and release leave memory, listeners and entries as they were',
    async run(t) {
      const locks = await t.open()
      const names = Array.from({ length: 100 }, () => t.name())
      const { signal } = new AbortController()
      const cycle = async (name: string, times: number) => {
        for (let done = 0; done < times; done++) {
          const lock = await locks.acquire(name, { signal, timeout: 60_000 })
          void lock.signal
          await lock.release()
        }
      }
      const run = (times: number) => Promise.all(names.map((name) => cycle(name, times)))
      await run(20)
      const before = await heapUsed()
      await run(100)
      const grown = (await heapUsed()) - before
      // A lock that is never freed takes more than 150 bytes.
      assert.ok(grown < 1_500_000, `the heap has grown by ${grown} bytes`)
      assert.equal(getEventListeners(signal, 'abort').length, 0)
      const left = await Promise.all(names.map((name) => locks.query(name)))
      assert.equal(left.flatMap(({ held, pending }) => [...held, ...pending]).length, 0)
    },
  },
  {
    id: 'resources/waits',
    line: 19,
    title: 'waits that are aborted, time out or are served leave no listener at a signal that goes on',
    async run(t) {
      const [a, b] = [await t.open(), await t.open()]
      const name = t.name()
      const { signal } = new AbortController()
      for (let round = 0; round < 5; round++) {
        const lock = await a.acquire(name, { signal })
        const stop = new AbortController()
        const either = AbortSignal.any([signal, stop.signal])
        const served = b.acquire(name, { signal, timeout: 60_000 })
        const aborted = thrown(b.acquire(name, { signal: either }))
        await t.fails(b.acquire(name, { signal, timeout: 20 }), 'TIMEOUT')
        assert.equal(getEventListeners(signal, 'abort').length, 1)
        stop.abort()
        assert.equal(await aborted, stop.signal.reason)
        assert.equal(await lock.release(), 'released')
        assert.equal(await (await served).release(), 'released')
        assert.equal(getEventListeners(signal, 'abort').length, 0)
      }
    },
  },
  {
    id: 'resources/batched-renewals',
    line: 19,
    title: 'renewing 1,000 locks takes at most 20 round trips each time',
    async run(t) {
      const ttl = 2 * t.ttl
      const { locks, wire } = await t.openWired({ ttl })
      const held = await Promise.all(Array.from({ length: 1_000 }, () => locks.acquire(t.name())))
      await t.until('all have been renewed', () => held.every((lock) => lock.expiresAt > performance.now() + ttl / 2))
      const before = await wire.roundTrips()
      const firsts = held.map((lock) => lock.expiresAt)
      await pause((2 / 3) * ttl)
      assert.ok(held.every((lock, at) => lock.held && lock.expiresAt > firsts[at]! + ttl / 4))
      // A renewal each third of the ttl, and an audit.
      const trips = (await wire.roundTrips()) - before
      assert.ok(trips <= 3 * 20, `${trips} round trips for two renewals of 1,000 locks`)
    },
  },
  {
    id: 'resources/waiters-do-not-delay-renewals',
    line: 19,
    title: '1,000 waiters of a client do not make it lose a lock that it holds',
    async run(t) {
      const locks = await t.open({ ttl: 2 * t.ttl })
      const other = await t.open()
      const [name, taken] = [t.name(), t.name()]
      const first = await other.acquire(taken)
      const lock = await locks.acquire(name)
      const stop = new AbortController()
      const waiting = Array.from({ length: 1_000 }, () => locks.acquire(taken, { signal: stop.signal }))
      // Where calls have no order of their own they leave, and are removed, one by one.
      await t.queued(other, taken, 1_000, 30_000)
      const end = performance.now() + 1.5 * t.ttl
      while (performance.now() < end) {
        lock.assertHeld()
        await pause(20)
      }
      const outcomes = Promise.allSettled(waiting)
      stop.abort()
      await t.settles(outcomes, 1_000)
      const left = async () => (await other.query(taken)).pending.length
      await t.until('no waiter is left', async () => (await left()) === 0, 30_000)
      lock.assertHeld()
      await first.release()
      assert.ok(await locks.tryAcquire(taken))
    },
  },
  {
    id: 'resources/close-leaves-nothing',
    line: 19,
    title: 'closing leaves no lock and no waiter at the store',
    async run(t) {
      const [locks, other] = [await t.open(), await t.open()]
      const names = Array.from({ length: 20 }, () => t.name())
      const taken = t.name()
      const first = await other.acquire(taken)
      await Promise.all(names.map((name) => locks.acquire(name)))
      const waiting = [locks.acquire(taken), locks.acquireAll([taken, t.name()])]
      await t.queued(other, taken, 2)
      const outcomes = Promise.allSettled(waiting)
      await locks.close()
      for (const each of waiting) await t.fails(each, 'CLOSED')
      await t.settles(outcomes, 100)
      for (const name of names) assert.deepEqual(await other.query(name), { held: [], pending: [] })
      assert.equal((await other.query(taken)).pending.length, 0)
      await first.release()
      assert.ok(await other.tryAcquire(taken))
    },
  },
  {
    id: 'resources/closed',
    line: 19,
    title: 'after closing every call rejects with CLOSED, and closing again does nothing',
    async run(t) {
      const locks = await t.open()
      const name = t.name()
      await Promise.all([locks.close(), locks.close()])
      await locks.close()
      await locks[Symbol.asyncDispose]()
      const calls = [
        locks.acquire(name),
        locks.tryAcquire(name),
        locks.acquireAll([name]),
        locks.request(name, () => assert.fail('a callback ran after the end')),
        locks.query(name),
        locks.connect(),
      ]
      const errors = await Promise.all(calls.map(thrown))
      for (const error of errors) await t.fails(Promise.reject(error as Error), 'CLOSED')
    },
  },
  {
    id: 'resources/no-timer',
    line: 19,
    title: 'when closing has settled no timer is left, also when the store cannot be reached',
    async run(t) {
      for (const fault of ['heal', 'cut', 'silence', 'dropAnswers'] as const) {
        const clock = new CountingClock()
        const { locks, wire } = await t.openWired({ clock })
        const other = await t.open()
        const [taken, name, free] = [t.name(), t.name(), t.name()]
        await other.acquire(taken)
        const lock = await locks.acquire(name)
        await wire[fault]()
        const calls: Promise<unknown>[] = [locks.acquire(taken), locks.acquire(taken, { timeout: 60_000 })]
        calls.push(lock.release(), locks.acquire(free), locks.tryAcquire(free), locks.query(free))
        await pause(100)
        const outcomes = Promise.allSettled(calls)
        await locks.close()
        await t.settles(outcomes, 1_000)
        assert.equal(clock.pending, 0, `${clock.pending} timers after ${fault} and close`)
        await wire.heal()
        await other.close()
      }
    },
  },
  {
    id: 'resources/no-calls-after-close',
    line: 19,
    title: 'a closed client sends nothing more, also when it closed while the store could not be reached',
    async run(t) {
      const { locks, wire } = await t.openWired()
      const lock = await locks.acquire(t.name())
      await wire.cut()
      const waiting = thrown(locks.acquire(t.name()))
      const released = lock.release()
      await locks.close()
      await Promise.all([waiting, released])
      const before = await wire.sent()
      // Behind the cut nobody sees what it sends.
      await wire.heal()
      // Longer than anybody pauses between two attempts.
      await pause(1_200)
      assert.equal(await wire.sent(), before)
    },
  },
  {
    id: 'resources/paced-reopening',
    line: 19,
    title: 'a session that ends whenever it is open is not opened again in a tight loop',
    async run(t) {
      const { locks, wire } = await t.openWired({ ttl: t.ttl })
      const other = await t.open()
      const name = t.name()
      const first = await other.acquire(name)
      const waiting = locks.acquire(name)
      await t.queued(other, name, 1)
      let opened = 0
      const ends: Promise<void>[] = []
      const note = (message: unknown) => {
        if ((message as LockEvents['locks:session']).state === 'ended') return
        opened++
        ends.push(wire.end())
      }
      subscribe('locks:session', note)
      t.defer(() => unsubscribe('locks:session', note))
      await wire.end()
      await pause(1_000)
      unsubscribe('locks:session', note)
      await Promise.all(ends)
      assert.ok(opened > 0 && opened <= 20, `${opened} sessions were opened in a second`)
      await first.release()
      await t.settles(waiting, 10_000)
      assert.equal((await waiting).held, true)
    },
  },
  {
    id: 'resources/process-exits',
    line: 19,
    title: 'a process that opened, acquired and closed ends by itself',
    requires: { scope: 'machine' },
    async run(t) {
      const locks = await t.open()
      const [name, taken] = [t.name(), t.name()]
      await locks.acquire(taken)
      const remote = await t.spawn()
      await remote.acquire(name)
      const waiting = thrown(remote.acquire(taken))
      await t.queued(locks, taken, 1)
      const ended = remote.leave()
      await t.settles(ended, 5_000)
      assert.equal(await ended, 0)
      await waiting
      assert.ok(await locks.tryAcquire(name))
      assert.equal((await locks.query(taken)).pending.length, 0)
    },
  },
]

/** Bytes in use after a full collection. */
async function heapUsed(): Promise<number> {
  if (!globalThis.gc) setFlagsFromString('--expose-gc')
  const collect = globalThis.gc ?? (runInNewContext('gc') as () => void)
  for (let pass = 0; pass < 3; pass++) {
    collect()
    // What node:test keeps of a promise goes in a task after the collection of the promise.
    await pause(1)
  }
  return process.memoryUsage().heapUsed
}

/** The system's clock, which counts the timers that have neither run nor been cancelled. */
class CountingClock implements Clock {
  pending = 0

  now(): Instant {
    return systemClock.now()
  }

  after(ms: number, run: () => void): Timer {
    let open = true
    const done = () => {
      if (open) this.pending--
      open = false
    }
    this.pending++
    const timer = systemClock.after(ms, () => {
      done()
      run()
    })
    return {
      cancel() {
        done()
        timer.cancel()
      },
    }
  }
}
