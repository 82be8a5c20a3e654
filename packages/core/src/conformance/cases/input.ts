import assert from 'node:assert/strict'
import type { Capabilities, Requirements } from '../../capabilities.ts'
import { shortfalls } from '../../capabilities.ts'
import type { Backend } from '../../contract.ts'
import type { ErrorCode } from '../../errors.ts'
import { LockManager } from '../../manager.ts'
import type { Case } from '../case.ts'
import type { Context } from '../context.ts'

type Arguments = readonly unknown[]
/** The wrong arguments, what the error says about what is allowed, and its code where that is another. */
type Row = readonly [args: Arguments, says: RegExp, code?: ErrorCode]

const inWords = { lock: /mode, permits, weight, steal/, acquire: /mode, permits, weight, steal, timeout, signal/ }
const wholePermits = /whole number from 1 to 2147483647/
const waits = /milliseconds from 0 to 2147483647/
const aString = /must be a string/

const names: readonly Row[] = [
  ...[undefined, null, 42, 4n, true, {}, ['a'], Symbol('a')].map((name): Row => [[name], aString]),
  ...['-', '-a', '--a'].map((name): Row => [[name], /"-" are reserved/, 'UNSUPPORTED']),
  [['x'.repeat(65_537)], /up to 65536 .*has 65537/],
]

const lockOptions: readonly Row[] = [
  ...[5_000, 'shared', true, () => {}, Symbol('a')].map((options): Row => [['a', options], /must be an object/]),
  ...['write', 'permit', '', null, 1, ['shared']].map((mode): Row => [['a', { mode }], /"exclusive", "shared"/]),
  ...[0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31, '2', 2n, null].flatMap((wrong): Row[] => [
    [['a', { permits: wrong }], wholePermits],
    [['a', { permits: 2, weight: wrong }], wholePermits],
  ]),
  [['a', { permits: 2, weight: 3 }], /weight must be from 1 to permits, 2; got 3/],
  [['a', { weight: 1 }], /weight needs permits/],
  ...[1, 'yes', null].map((steal): Row => [['a', { steal }], /true or false/]),
  [['a', { mode: 'exclusive', permits: 2 }], /mode and permits/, 'UNSUPPORTED'],
  [['a', { mode: 'shared', steal: true }], /steal and shared/, 'UNSUPPORTED'],
  [['a', { permits: 2, steal: true }], /steal and permits/, 'UNSUPPORTED'],
]

const waitOptions: readonly Row[] = [
  ...[-1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31, '5', 5n, null].map((timeout): Row => [
    ['a', { timeout }],
    waits,
  ]),
  ...[null, {}, 'x', new AbortController()].map((signal): Row => [['a', { signal }], /must be an AbortSignal/]),
]

/** Options that are no options, with their names as the error has them. */
function unknown(first: unknown, known: RegExp, ...keys: readonly string[]): Row[] {
  // As from JSON: `__proto__` is a key like any other there.
  const given = (key: string): unknown => JSON.parse(`{${JSON.stringify(key)}: 1}`)
  return ['tiemout', 'Mode', '', '__proto__', 'constructor', ...keys].map((key) => [[first, given(key)], known])
}

const tables: { readonly [K in 'acquire' | 'tryAcquire' | 'request' | 'acquireAll' | 'query']: readonly Row[] } = {
  acquire: [...names, ...lockOptions, ...waitOptions, ...unknown('a', inWords.acquire, 'ifAvailable', 'ttl')],
  tryAcquire: [...names, ...lockOptions, ...unknown('a', inWords.lock, 'ifAvailable', 'timeout', 'signal')],
  request: [
    ...[...names, ...lockOptions, ...waitOptions].map(([args, ...rest]): Row => [withCallback(args), ...rest]),
    ...unknown('a', inWords.acquire, 'ttl').map(([args, ...rest]): Row => [withCallback(args), ...rest]),
    ...[1, null, 'true'].map((ifAvailable): Row => [['a', { ifAvailable }, () => {}], /true or false/]),
    [['a', {}, 'callback'], /must be a function/],
  ],
  acquireAll: [
    ...[undefined, null, 'a', {}, new Set(['a'])].map((list): Row => [[list], /a list of at least one name/]),
    [[[]], /a list of at least one name; got none/],
    [[['a', 'b', 'a']], /each name once; "a" stands twice/],
    // Holes are no names either.
    [[[, 'a']], aString], // oxlint-disable-line eslint/no-sparse-arrays
    [[Array(2)], aString],
    ...names.map(([[name], ...rest]): Row => [[['b', name]], ...rest]),
    ...waitOptions.map(([[, options], ...rest]): Row => [[['a', 'b'], options], ...rest]),
    ...unknown(['a', 'b'], /mode, timeout, signal/, 'permits', 'weight', 'steal', 'ifAvailable'),
    [[['a', 'b'], { mode: 'write' }], /"exclusive", "shared"/],
    [[['a', 'b'], 5_000], /must be an object/],
  ],
  query: names.filter(([[name]]) => name !== undefined),
}

function withCallback([name, options]: Arguments): Arguments {
  return [name, options, () => assert.fail('the callback was called')]
}

/** What a manager is made with. */
function managerOptions({ ttl }: Capabilities): (readonly [options: unknown, says: RegExp])[] {
  const limits = new RegExp(`milliseconds from ${ttl.min} to ${ttl.max}\\b`)
  const ttls = [ttl.min - 1, ttl.max + 1, 0, -1, Number.NaN, Number.POSITIVE_INFINITY, String(ttl.min), null]
  return [
    ...ttls.map((each) => [{ ttl: each }, limits] as const),
    ...[0, -1, 2 ** 31, Number.NaN, '5', null].map(
      (each) => [{ connectTimeout: each }, /from 1 to 2147483647/] as const,
    ),
    ...['x'.repeat(101), 5, null].map((namespace) => [{ namespace }, /string of at most 100 characters/] as const),
    ...['x'.repeat(201), 5, null].map((owner) => [{ owner }, /string of at most 200 characters/] as const),
    [{ nmaespace: 'x' }, /known are ttl, namespace, owner, connectTimeout, require/],
    [{ ifAvailable: true }, /known are ttl, namespace, owner, connectTimeout, require/],
    ...[5, 'fencing', true, null].map((require) => [{ require }, /require must be an object/] as const),
    [{ require: { fencng: 'durable' } }, /known are scope, fencing, order, shared/],
    [{ require: { ttl: 5 } }, /known are scope, fencing, order, shared/],
    [{ require: { fencing: 'total' } }, /"none", "volatile", "durable"/],
    [{ require: { order: true } }, /"none", "fifo"/],
    [{ require: { shared: 'yes' } }, /false, true/],
    [{ clock: {} }, /must be a clock/],
    [{ random: Math.random }, /must be a source of chance/],
  ]
}

/** Holds one verb to its table; nothing may have left for the store. */
async function refusesAll(t: Context, verb: keyof typeof tables): Promise<void> {
  const { locks, wire } = await t.openWired()
  const call = locks[verb].bind(locks) as (...args: Arguments) => Promise<unknown>
  await t.sendsNothing(wire, async () => {
    for (const [args, says, code] of tables[verb]) {
      const { message, temporary } = await t.fails(call(...args), code ?? 'INVALID_ARGUMENT')
      assert.match(message, says)
      assert.equal(temporary, false)
    }
  })
}

export const input: readonly Case[] = [
  {
    id: 'input/acquire',
    line: 9,
    title: 'acquire refuses wrong names and options before anything is sent, and says what is allowed',
    run: (t) => refusesAll(t, 'acquire'),
  },
  {
    id: 'input/try-acquire',
    line: 9,
    title: 'tryAcquire refuses wrong names and options before anything is sent, and says what is allowed',
    run: (t) => refusesAll(t, 'tryAcquire'),
  },
  {
    id: 'input/request',
    line: 7,
    title: 'request refuses wrong names, options and callbacks before anything is sent, and says what is allowed',
    run: (t) => refusesAll(t, 'request'),
  },
  {
    id: 'input/acquire-all',
    line: 9,
    title: 'acquireAll refuses no names, duplicates, wrong names and options before anything is sent',
    run: (t) => refusesAll(t, 'acquireAll'),
  },
  {
    id: 'input/query',
    line: 9,
    title: 'query refuses what is no name before anything is sent',
    run: (t) => refusesAll(t, 'query'),
  },
  {
    id: 'input/manager',
    line: 20,
    title: 'a manager refuses wrong options, a ttl outside the backend’s limits among them, and says what is allowed',
    async run(t) {
      for (const [options, says] of managerOptions(t.capabilities)) {
        const { message } = await t.fails(t.open(options as object), 'INVALID_ARGUMENT')
        assert.match(message, says)
      }
      const { min, max } = t.capabilities.ttl
      for (const ttl of [min, max]) await (await t.open({ ttl })).close()
    },
  },
  {
    id: 'input/backend',
    line: 20,
    title: 'a manager takes nothing but a backend, and no options but an object',
    async run(t) {
      for (const wrong of [undefined, null, 'memory:', {}, { open: () => {} }]) {
        const { message } = await t.fails(() => new LockManager(wrong as unknown as Backend), 'INVALID_ARGUMENT')
        assert.match(message, /takes a backend/)
      }
    },
  },
  {
    id: 'input/requirements',
    line: 20,
    title:
      'a requirement is met exactly where the backend declares the capability, and its refusal names what is missing',
    async run(t) {
      const strongest: Required<Requirements> = {
        scope: 'network',
        fencing: 'durable',
        order: 'fifo',
        shared: true,
        semaphore: true,
        steal: true,
        sets: 'atomic',
        elections: true,
        listing: 'complete',
        reconnects: true,
      }
      for (const [key, value] of Object.entries(strongest)) {
        const require: Requirements = { [key]: value }
        if (shortfalls(t.capabilities, require).length === 0) {
          await (await t.open({ require })).close()
        } else {
          const { message } = await t.fails(t.open({ require }), 'UNSUPPORTED')
          assert.match(message, new RegExp(`\\b${key}\\b.*${value}`))
        }
      }
      const locks = await t.open({ require: { fencing: 'none', order: 'none', shared: false } })
      assert.deepEqual(locks.capabilities, t.capabilities)
    },
  },
  {
    id: 'input/no-options',
    line: 7,
    title: 'undefined and null stand for no options, and an undefined option for one that is not given',
    async run(t) {
      const locks = await t.open({ ttl: undefined, owner: undefined, require: undefined })
      const name = t.name()
      const blank = { mode: undefined, permits: undefined, timeout: undefined, signal: undefined }
      for (const options of [undefined, null, {}, blank]) {
        const given = options as object
        assert.equal(await locks.request(name, given, ({ mode }) => mode), 'exclusive')
        await (await locks.acquire(name, given)).release()
        await (await locks.acquireAll([name], options === blank ? { timeout: undefined } : given)).release()
        const { timeout: _, signal: __, ...rest } = blank
        await (await locks.tryAcquire(name, options === blank ? rest : given))?.release()
      }
    },
  },
  {
    id: 'input/no-time',
    line: 11,
    title: 'a time-out of 0 takes the first answer: the lock if it is free, TIMEOUT at once if it is not',
    async run(t) {
      const [a, b] = [await t.open(), await t.open()]
      const name = t.name()
      const lock = await a.acquire(name, { timeout: 0 })
      for (const locks of [a, b]) {
        const { temporary } = await t.fails(locks.acquire(name, { timeout: 0 }), 'TIMEOUT')
        assert.equal(temporary, true)
        await t.fails(locks.acquireAll([t.name(), name], { timeout: 0 }), 'TIMEOUT')
      }
      await t.queued(a, name, 0)
      await lock.release()
      await (await b.acquire(name, { timeout: 0 })).release()
      await (await b.acquireAll([name], { timeout: 0 })).release()
    },
  },
]
