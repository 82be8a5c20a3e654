import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { LockError } from '../../errors.ts'
import type { Warning } from '../../telemetry.ts'
import type { Case } from '../case.ts'
import { thrown, type Context } from '../context.ts'
import { holder, isDomException, uncalled } from '../requests.ts'

/** What `request` rejects with when it is called as untyped code may call it. Nothing may have left for the store. */
async function refusals(t: Context, calls: readonly (readonly unknown[])[]): Promise<unknown[]> {
  const { locks, wire } = await t.openWired()
  const request = locks.request.bind(locks) as (...args: readonly unknown[]) => Promise<unknown>
  return t.sendsNothing(wire, () => Promise.all(calls.map((args) => thrown(request(...args)))))
}

/** Compared as the standard's own tests do, by constructor: a subclass is something else. */
function isTypeError(error: unknown): void {
  assert.ok((error as Error).constructor === TypeError, String(error))
  assert.ok(LockError.is(error, 'INVALID_ARGUMENT'))
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
