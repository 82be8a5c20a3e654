import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { getEventListeners } from 'node:events'
import type { AcquireOptions } from '../../demand.ts'
import { LockError } from '../../errors.ts'
import type { Lock } from '../../lock.ts'
import type { LockManager } from '../../manager.ts'
import type { Warning } from '../../telemetry.ts'
import type { Case } from '../case.ts'
import { thrown, type Context } from '../context.ts'

const never = new Promise<never>(() => {})
const uncalled = (): never => assert.fail('this must not be called')

/** What `request` rejects with when it is called as untyped code may call it. Nothing may have left for the store. */
async function refusals(t: Context, calls: readonly (readonly unknown[])[]): Promise<unknown[]> {
  const { locks, wire } = await t.openWired()
  const request = locks.request.bind(locks) as (...args: readonly unknown[]) => Promise<unknown>
  const before = wire.sent
  const errors = await Promise.all(calls.map((args) => thrown(request(...args))))
  assert.equal(wire.sent, before)
  return errors
}

/** Compared as the standard's own tests do, by constructor: a subclass is something else. */
function isTypeError(error: unknown): void {
  assert.ok((error as Error).constructor === TypeError, String(error))
  assert.ok(LockError.is(error, 'INVALID_ARGUMENT'))
}

function isDomException(error: unknown, name: 'NotSupportedError' | 'AbortError'): void {
  assert.ok((error as Error).constructor === DOMException, String(error))
  const { name: found, code } = error as DOMException
  assert.deepEqual([found, code], [name, name === 'AbortError' ? 20 : 9])
  assert.ok(LockError.is(error, name === 'AbortError' ? 'LOST' : 'UNSUPPORTED'))
}

/** A request whose callback has been called, and how it ends. */
async function holder(locks: LockManager, name: string, options: AcquireOptions = {}) {
  const granted = Promise.withResolvers<Lock>()
  const work = Promise.withResolvers<unknown>()
  const call = locks.request(name, options, (lock) => {
    granted.resolve(lock)
    return work.promise
  })
  return { call, lock: await granted.promise, finish: work.resolve, fail: work.reject }
}

/** Something happens to the line in the last moment of a callback; its outcome is the request's all the same. */
async function survives(t: Context, ...troubles: readonly ('silence' | 'dropAnswers' | 'cut')[]): Promise<void> {
  for (const trouble of troubles) {
    const { locks, wire } = await t.openWired()
    const result = {}
    const passes = locks.request(t.name(), () => {
      wire[trouble]()
      return result
    })
    await t.settles(passes, 5_000)
    assert.equal(await passes, result, trouble)
    wire.heal()
    const error = new Error('mine')
    const fails = locks.request(t.name(), () => {
      wire[trouble]()
      throw error
    })
    await t.settles(fails, 5_000)
    assert.equal(await thrown(fails), error, trouble)
  }
}

export const request: readonly Case[] = [
  {
    id: 'request/wrong-callback',
    line: 7,
    title: 'a missing callback, or one that is no function, rejects with a TypeError before anything is sent',
    async run(t) {
      const name = t.name()
      const calls = [[], [name], [name, undefined], [name, null], [name, 'x'], [name, {}], [name, {}, undefined]]
      for (const error of await refusals(t, [
        ...calls,
        [name, {}, null],
        [name, {}, {}],
        [name, uncalled, undefined],
      ])) {
        isTypeError(error)
      }
    },
  },
  {
    id: 'request/wrong-type',
    line: 7,
    title: 'a name, mode, signal or option of the wrong type rejects with a TypeError before anything is sent',
    async run(t) {
      const name = t.name()
      const names = [undefined, null, 42, {}, [name], Symbol(name), true].map((wrong) => [wrong, uncalled])
      const modes = ['EXCLUSIVE', 'permit', '', null, 1].map((mode) => ({ mode }))
      const signals = ['x', 12.5, false, null, {}, Symbol('x'), uncalled, globalThis, new AbortController()].map(
        (signal) => ({ signal }),
      )
      const others = [{ ifAvailable: 1 }, { steal: 'yes' }, { timeout: '5' }, { tiemout: 5 }, 5_000, 'shared']
      const options = [...modes, ...signals, ...others].map((wrong) => [name, wrong, uncalled])
      for (const error of await refusals(t, [...names, ...options])) isTypeError(error)
    },
  },
  {
    id: 'request/not-supported',
    line: 7,
    title: 'a leading "-", and options that exclude each other, reject with NotSupportedError before anything is sent',
    async run(t) {
      const name = t.name()
      const { signal } = new AbortController()
      const options = [
        { steal: true, ifAvailable: true },
        { steal: true, mode: 'shared' },
        { steal: true, signal },
        { steal: true, permits: 2 },
        { ifAvailable: true, signal },
        { ifAvailable: true, signal: AbortSignal.abort() },
        { ifAvailable: true, timeout: 5 },
        { mode: 'exclusive', permits: 2 },
      ].map((each) => [name, each, uncalled])
      const reserved = ['-', '-x', '--'].map((each) => [each, uncalled])
      for (const error of await refusals(t, [...reserved, ...options])) isDomException(error, 'NotSupportedError')
    },
  },
  {
    id: 'request/result',
    line: 7,
    title: 'resolves, by a native promise, to what the callback returns, and follows a thenable once',
    async run(t) {
      const locks = await t.open()
      const name = t.name()
      const result = {}
      const call = locks.request(name, () => result)
      assert.equal((call as Promise<unknown>).constructor, Promise)
      assert.equal(await call, result)
      assert.equal(await locks.request(name, async () => result), result)
      assert.equal(await locks.request(name, null, () => undefined), undefined)
      let followed = 0
      const thenable = {
        // oxlint-disable-next-line unicorn/no-thenable
        then(resolve: (value: unknown) => void) {
          followed++
          resolve(result)
        },
      }
      assert.equal(await locks.request(name, () => thenable), result)
      assert.equal(followed, 1)
    },
  },
  {
    id: 'request/held-until-settled',
    line: 7,
    title: 'the lock is held from before the callback is called until its promise settles',
    async run(t) {
      const [a, b] = [await t.open(), await t.open()]
      const name = t.name()
      const { call, lock, finish } = await holder(a, name)
      assert.deepEqual([lock.name, lock.mode, lock.held], [name, 'exclusive', true])
      assert.equal(await b.tryAcquire(name), null)
      assert.equal(lock.held, true)
      finish('done')
      assert.equal(await call, 'done')
      assert.equal(lock.held, false)
      assert.equal(lock.signal.aborted, false)
    },
  },
  {
    id: 'request/error',
    line: 7,
    title: 'rejects with the identical object that the callback throws or rejects with, and frees the name',
    async run(t) {
      const locks = await t.open()
      const name = t.name()
      let opened = false
      // oxlint-disable-next-line unicorn/no-thenable
      const thenable = Object.assign(new Error('with a then'), { then: () => (opened = true) })
      for (const error of [
        new Error('mine'),
        thenable,
        new LockError('UNSUPPORTED', 'mine'),
        AbortSignal.abort().reason,
      ]) {
        const isError = (found: unknown) => assert.equal(found, error)
        const thrower = (): never => {
          throw error as Error
        }
        await locks.request(name, thrower).then(uncalled, isError)
        await locks.request(name, () => Promise.reject(error)).then(uncalled, isError)
      }
      assert.equal(opened, false)
      assert.ok(await locks.tryAcquire(name))
    },
  },
  {
    id: 'request/not-synchronous',
    line: 7,
    title: 'never calls the callback before it has returned',
    async run(t) {
      const locks = await t.open()
      const name = t.name()
      let returned = false
      const inTurn = () => assert.equal(returned, true)
      const free = locks.request(name, inTurn)
      const held = locks.request(name, { ifAvailable: true }, inTurn)
      returned = true
      await Promise.all([free, held])
    },
  },
  {
    id: 'request/if-available',
    line: 7,
    title: 'with ifAvailable a free name is granted; for a held one the callback gets null and its outcome counts',
    async run(t) {
      const [a, b] = [await t.open(), await t.open()]
      const name = t.name()
      await a.request(name, { ifAvailable: true }, async (lock) => {
        assert.equal(lock?.held, true)
        for (const locks of [a, b]) {
          assert.equal(await locks.request(name, { ifAvailable: true }, (none) => none), null)
          assert.equal(await locks.request(name, { ifAvailable: true }, () => 'mine'), 'mine')
          const error = new Error('mine')
          assert.equal(await thrown(locks.request(name, { ifAvailable: true }, () => Promise.reject(error))), error)
        }
      })
      assert.deepEqual(await a.query(name), { held: [], pending: [] })
    },
  },
  {
    id: 'request/if-available-shared',
    line: 7,
    title: 'with ifAvailable a shared lock is granted beside a shared one and not beside an exclusive one',
    requires: { shared: true },
    async run(t) {
      const [a, b] = [await t.open(), await t.open()]
      const name = t.name()
      const options = { mode: 'shared', ifAvailable: true } as const
      await a.request(name, { mode: 'shared' }, async () => {
        await b.request(name, options, (lock) => assert.equal(lock?.mode, 'shared'))
        await b.request(name, { ifAvailable: true }, (lock) => assert.equal(lock, null))
      })
      await a.request(name, () => b.request(name, options, (lock) => assert.equal(lock, null)))
    },
  },
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
  {
    id: 'request/aborted-before',
    line: 11,
    title: 'an aborted signal rejects with its very reason, sends nothing and calls nobody',
    async run(t) {
      const { locks, wire } = await t.openWired()
      const before = wire.sent
      const stolen = new LockError('LOST', 'another lock’s', { reason: 'stolen' })
      for (const reason of [
        undefined,
        new Error('mine'),
        'text',
        0,
        null,
        new LockError('UNSUPPORTED', 'mine'),
        stolen,
      ]) {
        const signal = AbortSignal.abort(reason)
        assert.ok((await thrown(locks.request(t.name(), { signal }, uncalled))) === signal.reason, String(reason))
        assert.ok((await thrown(locks.acquire(t.name(), { signal }))) === signal.reason, String(reason))
      }
      assert.equal(wire.sent, before)
    },
  },
  {
    id: 'request/aborted-while-waiting',
    line: 11,
    title: 'aborting a wait rejects it with the very reason and lets the next one through',
    async run(t) {
      const [a, b] = [await t.open(), await t.open()]
      const name = t.name()
      for (const reason of [undefined, 'text', new LockError('LOST', 'another lock’s', { reason: 'stolen' })]) {
        const held = await a.acquire(name)
        const controller = new AbortController()
        const { signal } = controller
        const aborted = b.request(name, { signal }, uncalled)
        await t.queued(a, name, 1)
        const next = b.request(name, () => 'next')
        await t.queued(a, name, 2)
        controller.abort(reason)
        assert.ok((await thrown(aborted)) === signal.reason, String(reason))
        await t.queued(a, name, 1)
        await held.release()
        assert.equal(await next, 'next')
      }
    },
  },
  {
    id: 'request/aborted-in-the-same-tick',
    line: 11,
    title: 'an abort in the call’s own tick wins over a free lock, and leaves the name free',
    async run(t) {
      const [a, b] = [await t.open(), await t.open()]
      const name = t.name()
      for (let round = 0; round < 5; round++) {
        const controller = new AbortController()
        const call = a.request(name, { signal: controller.signal }, uncalled)
        controller.abort(round)
        assert.equal(await thrown(call), round)
      }
      await t.until(
        'the name is free',
        async () => await b.request(name, { ifAvailable: true }, (lock) => lock !== null),
      )
    },
  },
  {
    id: 'request/aborted-after-the-grant',
    line: 11,
    title: 'an abort after the grant is ignored, and the signal has no listener left',
    async run(t) {
      const [a, b] = [await t.open(), await t.open()]
      const name = t.name()
      const controller = new AbortController()
      const { signal } = controller
      const listeners = () => getEventListeners(signal, 'abort').length
      const held = await a.acquire(name)
      await t.fails(b.request(name, { signal, timeout: 100 }, uncalled), 'TIMEOUT')
      assert.equal(listeners(), 0)
      const waited = b.request(name, { signal }, async (lock) => {
        assert.equal(listeners(), 0)
        controller.abort()
        assert.equal(await a.tryAcquire(name), null)
        assert.deepEqual([lock.held, lock.signal.aborted], [true, false])
        return 'mine'
      })
      await t.queued(a, name, 1)
      await held.release()
      assert.equal(await waited, 'mine')
    },
  },
  {
    id: 'request/steal-free',
    line: 13,
    title: 'steal on a free name is an ordinary grant',
    requires: { steal: true },
    async run(t) {
      const [a, b] = [await t.open(), await t.open()]
      const name = t.name()
      await a.request(name, { steal: true }, async (lock) => {
        assert.deepEqual([lock.mode, lock.held], ['exclusive', true])
        assert.equal(await b.tryAcquire(name), null)
      })
      assert.ok(await b.tryAcquire(name))
    },
  },
  {
    id: 'request/stolen',
    line: 7,
    title:
      'the victim’s request rejects with AbortError although its callback never settles; at once in the same client',
    requires: { steal: true },
    async run(t) {
      const { locks: a, wire } = await t.openWired()
      const b = await t.open()
      const name = t.name()
      for (const thief of [b, a]) {
        const victim = await holder(a, name)
        if (thief === a) wire.deafen()
        const loot = await thief.acquire(name, { steal: true })
        if (thief === a) await t.settles(victim.call, 1_000)
        const error = await thrown(victim.call)
        isDomException(error, 'AbortError')
        assert.equal(LockError.find(error)?.reason, 'stolen')
        assert.deepEqual([victim.lock.held, victim.lock.signal.aborted, loot.held], [false, true, true])
        assert.equal(await victim.lock.release(), 'lost')
        await loot.release()
      }
    },
  },
  {
    id: 'request/stolen-shared',
    line: 17,
    title: 'every shared holder that is robbed is told',
    requires: { steal: true, shared: true },
    async run(t) {
      const [a, b] = [await t.open(), await t.open()]
      const name = t.name()
      const victims = [
        await holder(a, name, { mode: 'shared' }),
        await holder(b, name, { mode: 'shared' }),
        await holder(b, name, { mode: 'shared' }),
      ]
      const loot = await b.acquire(name, { steal: true })
      for (const { call, lock } of victims) {
        isDomException(await thrown(call), 'AbortError')
        assert.deepEqual([lock.held, lock.signal.aborted], [false, true])
      }
      assert.equal(loot.held, true)
    },
  },
  {
    id: 'request/outcome-of-the-robbed',
    line: 7,
    title: 'the error of a robbed request carries a promise of its callback’s outcome, which needs no handler',
    requires: { steal: true },
    async run(t) {
      const locks = await t.open()
      const name = t.name()
      const outcomes: Promise<unknown>[] = []
      const victims = [await holder(locks, name)]
      for (let robbed = 0; robbed < 3; robbed++) {
        const [next] = await Promise.all([holder(locks, name, { steal: true }), thrown(victims[robbed]!.call)])
        victims.push(next)
        const outcome = LockError.find(await thrown(victims[robbed]!.call))?.callback
        assert.ok(outcome, 'no promise of the outcome')
        outcomes.push(outcome)
      }
      const reason = new Error('mine')
      victims[0]!.finish('late')
      victims[1]!.fail(reason)
      victims[2]!.fail(new Error('heard by nobody'))
      assert.equal(await outcomes[0], 'late')
      assert.equal(await thrown(outcomes[1] as Promise<unknown>), reason)
      victims[3]!.finish('mine')
      assert.equal(await victims[3]!.call, 'mine')
    },
  },
  {
    id: 'request/last-thief-wins',
    line: 13,
    title: 'of several thieves the last one keeps the lock, and the others are robbed in their turn',
    requires: { steal: true },
    async run(t) {
      const locks = await t.open()
      const name = t.name()
      const victim = await holder(locks, name)
      const thieves = Array.from({ length: 3 }, () => locks.request(name, { steal: true }, () => never))
      const last = await holder(locks, name, { steal: true })
      for (const call of [victim.call, ...thieves]) isDomException(await thrown(call), 'AbortError')
      assert.equal(last.lock.held, true)
      assert.equal((await locks.query(name)).held.length, 1)
      last.finish('mine')
      assert.equal(await last.call, 'mine')
    },
  },
  {
    id: 'request/thief-before-waiters',
    line: 13,
    title: 'a thief is granted ahead of all who wait, and they keep their places',
    requires: { steal: true, order: 'fifo' },
    async run(t) {
      const [a, b] = [await t.open(), await t.open()]
      const name = t.name()
      const victim = await holder(a, name)
      const order: string[] = []
      const waiters = []
      for (const [index, locks] of [a, b, a].entries()) {
        waiters.push(locks.request(name, () => order.push(`waiter ${index}`)))
        await t.queued(a, name, index + 1)
      }
      const thief = await holder(b, name, { steal: true })
      order.push('thief')
      isDomException(await thrown(victim.call), 'AbortError')
      await t.queued(a, name, 3)
      thief.finish('done')
      await Promise.all([thief.call, ...waiters])
      assert.deepEqual(order, ['thief', 'waiter 0', 'waiter 1', 'waiter 2'])
    },
  },
  {
    id: 'request/evicted',
    line: 7,
    title: 'when the store drops the lock, the request rejects with LOST while its callback goes on',
    async run(t) {
      const locks = await t.open({ ttl: t.ttl })
      const name = t.name()
      const { call, lock, finish } = await holder(locks, name)
      await t.evict(name)
      const error = await t.fails(call, 'LOST')
      assert.equal(lock.held, false)
      finish('late')
      assert.equal(await error.callback, 'late')
    },
  },
  {
    id: 'request/expired',
    line: 7,
    title: 'when the deadline passes, the request rejects with LOST while its callback goes on',
    async run(t) {
      const { locks, wire } = await t.openWired({ ttl: t.ttl })
      const { call, lock, fail } = await holder(locks, t.name())
      wire.silence()
      const error = await t.fails(call, 'LOST')
      assert.deepEqual([lock.held, lock.signal.aborted], [false, true])
      const late = new Error('mine')
      fail(late)
      assert.equal(await thrown(error.callback as Promise<unknown>), late)
    },
  },
  {
    id: 'request/release-unanswered',
    line: 7,
    title:
      'a release that gets no answer replaces neither the callback’s result nor its error, and holds it up for a bounded time',
    run: (t) => survives(t, 'silence', 'dropAnswers'),
  },
  {
    id: 'request/release-cut-off',
    line: 7,
    title: 'a release that cannot be sent replaces neither the callback’s result nor its error',
    requires: { reconnects: true },
    run: (t) => survives(t, 'cut'),
  },
  {
    id: 'request/timeout',
    line: 11,
    title: 'a request whose time-out passes rejects with TIMEOUT, calls nobody and leaves nothing behind',
    async run(t) {
      const [a, b] = [await t.open(), await t.open()]
      const name = t.name()
      const held = await a.acquire(name)
      await t.fails(b.request(name, { timeout: 50 }, uncalled), 'TIMEOUT')
      await t.fails(b.request(name, { timeout: 0 }, uncalled), 'TIMEOUT')
      await t.queued(a, name, 0)
      await held.release()
      assert.equal(await b.request(name, { timeout: 0 }, () => 'free'), 'free')
    },
  },
  {
    id: 'request/self-wait',
    line: 8,
    title: 'a request that waits for a lock of its own asynchronous context is warned about',
    async run(t) {
      const [a, b] = [await t.open(), await t.open()]
      const [name, other] = [t.name(), t.name()]
      const codes: string[] = []
      const note = (message: unknown) => void codes.push((message as Warning).code)
      subscribe('locks:warning', note)
      t.defer(() => unsubscribe('locks:warning', note))
      await a.request(name, async () => {
        await a.request(other, () => {})
        await t.fails(b.acquire(name, { timeout: 100 }), 'TIMEOUT')
        assert.deepEqual(codes, [])
        const waiting = t.fails(a.acquire(name, { timeout: 2_000 }), 'TIMEOUT')
        await t.until('the warning comes', () => codes.length > 0)
        await waiting
      })
      assert.deepEqual(codes, ['SELF_WAIT'])
    },
  },
]
