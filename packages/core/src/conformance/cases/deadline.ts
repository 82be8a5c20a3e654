import assert from 'node:assert/strict'
import { systemClock, type Clock } from '../../clock.ts'
import { LockError } from '../../errors.ts'
import type { Lock } from '../../lock.ts'
import type { Case } from '../case.ts'
import { pause } from '../context.ts'
import type { Wire } from '../harness.ts'

export const deadline: readonly Case[] = [
  {
    id: 'deadline/margin',
    line: 3,
    title: 'expiresAt is on the scale of performance.now(), and before sent + ttl by at least max(ttl / 10, 250 ms)',
    async run(t) {
      const name = t.name()
      for (const ttl of [t.ttl, 8 * t.ttl]) {
        const locks = await t.open({ ttl })
        const lock = await locks.acquire(name)
        const answered = performance.now()
        assert.ok(lock.expiresAt <= answered + ttl - margin(ttl), 'the margin is too small')
        assert.ok(lock.expiresAt > answered, 'granted with nothing left')
        await lock.release()
      }
    },
  },
  {
    id: 'deadline/from-the-sending-of-an-acquire',
    line: 3,
    title: 'the deadline counts from before the request for the lock left, not from its answer',
    async run(t) {
      const ttl = 4 * t.ttl
      const { locks, wire } = await t.openWired({ ttl })
      const other = await t.open()
      const name = t.name()
      await wire.delayAnswers()
      const asked = locks.acquire(name)
      await t.until('the store has granted it', async () => (await other.query(name)).held.length === 1)
      const sends = new Sends(wire)
      await sends.passed(200)
      await wire.heal()
      const lock = await asked
      assert.ok(lock.expiresAt <= (await sends.last()) + ttl - margin(ttl), 'counted from the answer')
      assert.equal(lock.held, true)
    },
  },
  {
    id: 'deadline/from-the-sending-of-a-renewal',
    line: 3,
    title: 'a renewal whose answer comes late extends the lock only from when it was sent',
    async run(t) {
      const ttl = 4 * t.ttl
      const { locks, wire } = await t.openWired({ ttl })
      const name = t.name()
      const lock = await locks.acquire(name)
      await wire.delayAnswers()
      // A renewal may have been answered since the grant, which may itself have been slow; it left before now.
      const answered = performance.now() + ttl - margin(ttl)
      const sends = new Sends(wire)
      const watched = async () => (await sends.last()) > 0 && (onItsWay(lock) || lock.expiresAt > answered)
      await t.until('a renewal is on its way', watched, ttl)
      const { expiresAt } = lock
      assert.ok(expiresAt <= answered, 'extended before any answer')
      await wire.heal()
      await t.until('the renewal has extended the lock', () => lock.expiresAt > expiresAt + 1)
      assert.ok(lock.expiresAt <= (await sends.last()) + ttl - margin(ttl), 'counted from the answer')
    },
  },
  {
    id: 'deadline/from-the-waiters-last-proof',
    line: 5,
    title: 'after a wait the deadline counts from the waiter’s own last proof, not from the arrival of the news',
    async run(t) {
      const ttl = 4 * t.ttl
      const { locks, wire } = await t.openWired({ ttl })
      const other = await t.open()
      const name = t.name()
      const first = await other.acquire(name)
      const asked = locks.acquire(name)
      await t.queued(other, name, 1)
      await wire.delayAnswers()
      await first.release()
      await t.handedOver(async () => (await other.query(name)).held.length === 1)
      const sends = new Sends(wire)
      await sends.passed(200)
      await wire.heal()
      const lock = await asked
      // An adapter that asks for its grant when it hears of it has a later proof.
      assert.ok(lock.expiresAt <= (await sends.last()) + ttl - margin(ttl), 'counted from the arrival of the news')
      assert.equal(lock.held, true)
    },
  },
  {
    id: 'deadline/late-acquire',
    line: 5,
    title:
      'a grant that arrives after its own deadline is given back: a wait goes on to one that is held, a try rejects',
    async run(t) {
      const { locks, wire } = await t.openWired({ ttl: t.ttl })
      const other = await t.open()
      const [name, tried] = [t.name(), t.name()]
      await wire.delayAnswers()
      const asked = locks.acquire(name)
      const trying = locks.tryAcquire(tried).catch((error: unknown) => error as Error)
      await pause(t.ttl)
      const healed = performance.now()
      await wire.heal()
      const lock = await asked
      assert.equal(lock.held, true)
      assert.ok(lock.expiresAt > healed)
      await t.until('the late grant is gone', async () => (await other.query(name)).held.length === 1)
      assert.equal(await other.tryAcquire(name), null)
      assert.equal(await lock.release(), 'released')
      const outcome = await trying
      // A backend may have opened another session meanwhile, and tried there.
      if (outcome instanceof Error) assert.equal(LockError.find(outcome)?.temporary, true, outcome.message)
      else assert.ok(outcome?.held && outcome.expiresAt > healed, 'neither a lock that is held nor an error')
      if (!(outcome instanceof Error)) await outcome?.release()
      for (const each of [name, tried]) await t.empty(other, each)
    },
  },
  {
    id: 'deadline/late-grant-after-a-wait',
    line: 5,
    title: 'a waiter that is told of its grant after the deadline of it does not return it as held',
    async run(t) {
      const { locks, wire } = await t.openWired({ ttl: t.ttl })
      const other = await t.open()
      const name = t.name()
      const first = await other.acquire(name)
      const asked = locks.acquire(name)
      await t.queued(other, name, 1)
      await wire.silence()
      await first.release()
      const second = await other.acquire(name)
      let told = false
      asked.then(() => (told = true), ignored)
      await wire.heal()
      await t.queued(other, name, 1)
      assert.equal(told, false)
      await second.release()
      assert.equal((await asked).held, true)
      assert.equal((await other.query(name)).held.length, 1)
    },
  },
  {
    id: 'deadline/stalled-event-loop',
    line: 3,
    title: 'the first line after a stall past the deadline knows of the loss, before any timer or event has run',
    async run(t) {
      const locks = await t.open({ ttl: t.ttl })
      const lock = await locks.acquire(t.name())
      let aborted = 0
      lock.signal.addEventListener('abort', () => aborted++)
      const end = performance.now() + t.ttl
      while (performance.now() < end);
      assert.deepEqual([aborted, lock.held, aborted], [0, false, 1])
      const error = await t.fails(() => lock.assertHeld(), 'LOST')
      assert.equal(error.reason, 'expired')
      assert.ok(lock.expiresAt <= performance.now())
      assert.equal(await lock.release(), 'lost')
    },
  },
  {
    id: 'deadline/stalled-process',
    line: 3,
    title: 'in a process that stalls past the deadline the first line knows of the loss, and others have the lock',
    requires: { scope: 'machine' },
    async run(t) {
      const locks = await t.open()
      const name = t.name()
      const remote = await t.spawn({ ttl: t.ttl })
      const lock = await remote.acquire(name)
      const stalled = lock.stall(t.ttl + t.capabilities.takeover)
      const next = locks.acquire(name)
      assert.equal(await stalled, false)
      assert.deepEqual(await lock.assertHeld(), { code: 'LOST', reason: 'expired' })
      assert.equal(await lock.release(), 'lost')
      assert.equal((await next).held, true)
    },
  },
  {
    id: 'deadline/stopped-process',
    line: 3,
    title: 'a stopped holder is lost to others within ttl + takeover, and knows it in its first line when it goes on',
    requires: { scope: 'machine' },
    async run(t) {
      const locks = await t.open()
      const name = t.name()
      const remote = await t.spawn({ ttl: t.ttl })
      const lock = await remote.acquire(name)
      remote.stop()
      t.defer(() => remote.continue())
      const waiting = locks.acquire(name)
      await t.settles(waiting, t.ttl + t.capabilities.takeover)
      await pause(2 * t.ttl)
      const asserted = lock.assertHeld()
      const released = lock.release()
      remote.continue()
      assert.equal((await asserted)?.code, 'LOST')
      assert.equal(await released, 'lost')
      const next = await waiting
      const other = await t.open()
      assert.equal(await other.tryAcquire(name), null)
      assert.equal(next.held, true)
      assert.equal(await next.release(), 'released')
    },
  },
  {
    id: 'deadline/no-news',
    line: 4,
    title: 'a holder that hears nothing, good or bad, lets go before the store gives the lock to another',
    async run(t) {
      const { locks, wire } = await t.openWired({ ttl: t.ttl })
      const other = await t.open()
      const name = t.name()
      const lock = await locks.acquire(name)
      let heldThen: boolean | undefined
      const next = other.acquire(name)
      next.then(() => (heldThen = lock.held), ignored)
      await t.queued(other, name, 1)
      await wire.silence()
      const silentSince = performance.now()
      await t.until('the holder knows of its loss', () => lock.signal.aborted)
      assert.ok(performance.now() < silentSince + t.ttl, 'told later than the ttl')
      assert.equal((lock.signal.reason as { reason?: string }).reason, 'expired')
      await t.settles(next, t.ttl + t.capabilities.takeover)
      assert.equal(heldThen, false)
    },
  },
  {
    id: 'deadline/latched',
    line: 3,
    title:
      'a read that finds the deadline passed latches the loss: neither the clock nor the store brings the lock back',
    async run(t) {
      const clock = new ShiftedClock()
      const locks = await t.open({ clock })
      const name = t.name()
      const lock = await locks.acquire(name)
      const { signal } = lock
      clock.wall += 3_600_000
      assert.equal(lock.held, false)
      clock.wall -= 3_600_000
      assert.equal(lock.held, false)
      assert.equal(signal.aborted, true)
      await t.fails(() => lock.assertHeld(), 'LOST')
      await t.empty(locks, name)
      assert.equal(lock.held, false)
      assert.equal(await lock.release(), 'lost')
    },
  },
  {
    id: 'deadline/wall-clock-forward',
    line: 3,
    title: 'a wall clock that jumps ahead, as after a sleep, ends the lock at once, and those who wait get it',
    async run(t) {
      const clock = new ShiftedClock()
      const locks = await t.open({ clock })
      // Where all processes share one wall clock, one that jumps alone may drop this waiter, which then queues anew.
      const other = await t.open({ ttl: 2 * t.ttl })
      const name = t.name()
      const lock = await locks.acquire(name)
      const waiting = other.acquire(name)
      await t.queued(other, name, 1)
      clock.wall += 3_600_000
      await t.fails(() => lock.assertHeld(), 'LOST')
      assert.ok(lock.expiresAt <= performance.now())
      // The holder removes what it no longer trusts: nobody has to wait for the ttl.
      await t.settles(waiting, 10_000)
      assert.equal((await waiting).held, true)
    },
  },
  {
    id: 'deadline/wall-clock-backward',
    line: 3,
    title: 'a wall clock that jumps back never lengthens the lock',
    async run(t) {
      const clock = new ShiftedClock()
      const { locks, wire } = await t.openWired({ ttl: t.ttl, clock })
      const lock = await locks.acquire(t.name())
      await wire.silence()
      const { expiresAt } = lock
      clock.wall -= 3_600_000
      assert.ok(lock.expiresAt <= expiresAt + 1)
      assert.equal(lock.held, true)
      await t.until('the deadline has passed', () => performance.now() >= expiresAt + 1)
      assert.equal(lock.held, false)
    },
  },
  {
    id: 'deadline/late-renewal',
    line: 5,
    title: 'the late answer of a renewal never revives a lock that was reported lost',
    async run(t) {
      const { locks, wire } = await t.openWired({ ttl: t.ttl })
      const other = await t.open()
      const name = t.name()
      const lock = await locks.acquire(name)
      await wire.delayAnswers()
      const before = await wire.sent()
      const passed = async () => (await wire.sent()) > before && !lock.held
      await t.until('a renewal has left and the deadline has passed', passed)
      await wire.heal()
      await t.empty(other, name)
      assert.equal(lock.held, false)
      assert.equal(lock.signal.aborted, true)
      assert.equal(await lock.release(), 'lost')
      assert.ok(await other.tryAcquire(name))
    },
  },
  {
    id: 'deadline/late-renewal-unseen',
    line: 5,
    title: 'the answer of a renewal that comes after the deadline revives nothing, though nobody had looked yet',
    async run(t) {
      const clock = new ShiftedClock()
      const { locks, wire } = await t.openWired({ ttl: 4 * t.ttl, clock })
      const lock = await locks.acquire(t.name())
      await wire.delayAnswers()
      await t.until('a renewal is on its way', () => onItsWay(lock), 4 * t.ttl)
      // Past the deadline of the first proof, not past that of the one on its way.
      clock.wall += lock.expiresAt - performance.now() + 1
      await wire.heal()
      await t.until('the loss is told', () => lock.signal.aborted)
      assert.equal(lock.held, false)
    },
  },
  {
    id: 'deadline/never-re-created',
    line: 5,
    title: 'renewal re-creates nothing: a deleted lock stays deleted',
    async run(t) {
      const locks = await t.open({ ttl: t.ttl })
      const other = await t.open()
      const name = t.name()
      const lock = await locks.acquire(name)
      await t.evict(name)
      await t.until('the loss is told', () => lock.signal.aborted)
      // Not before: where a lock goes only with its session, it would be lost as well.
      const kept = await locks.acquire(t.name())
      // The first may have left before the loss was told.
      for (let renewals = 0; renewals < 2; renewals++) {
        const { expiresAt } = kept
        await t.until('renewals have gone on', () => kept.expiresAt > expiresAt + 1)
      }
      assert.deepEqual(await other.query(name), { held: [], pending: [] })
      assert.equal(lock.held, false)
    },
  },
  {
    id: 'deadline/renewed',
    line: 3,
    title: 'renewal keeps a lock for many times its ttl, and nobody else gets it meanwhile',
    async run(t) {
      const locks = await t.open({ ttl: t.ttl })
      const other = await t.open()
      const name = t.name()
      const lock = await locks.acquire(name)
      const end = performance.now() + 2 * t.ttl
      let last = lock.expiresAt
      while (performance.now() < end) {
        assert.equal(lock.held, true)
        assert.equal(await other.tryAcquire(name), null)
        assert.ok(lock.expiresAt >= last - 1, 'a renewal shortened the lock')
        last = lock.expiresAt
        await pause(t.ttl / 10)
      }
      assert.equal(lock.signal.aborted, false)
      assert.equal(await lock.release(), 'released')
    },
  },
]

/** Calls that fail do so where they are awaited. */
function ignored(): void {}

const margin = (ttl: number): number => Math.max(ttl / 10, 250)

/**
 * Whether a renewal has been due for long and not been answered: at a third of the ttl, when this says so at half of it.
 * That something has left for the store says less, for a driver may send requests of its own.
 */
const onItsWay = (lock: Lock): boolean => lock.atRisk

/** Knows when the last request left for the store, at the latest; give or take the way from the client to the line. */
class Sends {
  readonly #wire: Wire
  #sent: number | undefined
  #last = 0

  constructor(wire: Wire) {
    this.#wire = wire
  }

  /** Looks, and answers with when the last one left. */
  async last(): Promise<number> {
    const sent = await this.#wire.sent()
    if (sent !== this.#sent) this.#last = performance.now() + 50
    this.#sent = sent
    return this.#last
  }

  /** Watches for so many milliseconds. */
  async passed(ms: number): Promise<void> {
    const end = performance.now() + ms
    while (performance.now() < end) {
      await this.last()
      await pause(5)
    }
  }
}

/** The system's clocks, with a wall clock that somebody sets. */
class ShiftedClock implements Clock {
  wall = 0

  now(): { mono: number; wall: number } {
    const { mono, wall } = systemClock.now()
    return { mono, wall: wall + this.wall }
  }

  after(ms: number, run: () => void): { cancel(): void } {
    return systemClock.after(ms, run)
  }
}
