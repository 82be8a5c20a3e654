import { LockManager, type ManagerOptions } from '@locks/core'
import { memory } from '@locks/core/memory'
import { instrumentLocks, withoutIds, type InstrumentLocksOptions } from '@locks/otel'
import { context, SpanStatusCode, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import type { ReadableSpan } from '@opentelemetry/sdk-trace'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { ManualClock } from './manual-clock.ts'
import { Sdk } from './sdk.ts'

const ttl = 10_000
let sdk: Sdk
let clock: ManualClock
const cleanups: (() => unknown)[] = []

beforeAll(() => context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable()))
afterAll(() => context.disable())

beforeEach(() => {
  sdk = new Sdk()
  clock = new ManualClock()
})

afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean()
  await sdk.shutdown()
})

function watched(options: InstrumentLocksOptions = {}, own: ManagerOptions = {}): LockManager {
  const { meterProvider, tracerProvider } = sdk
  const telemetry = instrumentLocks({ meterProvider, tracerProvider, ...options })
  const locks = new LockManager(memory(), { clock, ttl, namespace: 'shop', ...own })
  cleanups.push(
    () => telemetry.disable(),
    () => locks.close(),
  )
  return locks
}

/** The only one of its name that has ended. */
function only(name: string): ReadableSpan {
  const found = sdk.spans.filter((span) => span.name === name)
  expect(found).toHaveLength(1)
  return found[0] as ReadableSpan
}

const events = (span: ReadableSpan) => span.events.map(({ name }) => name)

test('the wait and the hold are children of the span that was active at the call, and linked', async () => {
  const locks = watched()
  const tracer = sdk.tracerProvider.getTracer('test')
  await tracer.startActiveSpan('work', async (work) => {
    const lock = await locks.acquire('a')
    expect(trace.getActiveSpan()).toBe(work)
    await lock.release()
    work.end()
  })
  const [wait, hold, work] = [only('acquire lock'), only('hold lock'), only('work')]
  for (const span of [wait, hold]) {
    expect(span.parentSpanContext?.spanId).toBe(work.spanContext().spanId)
    expect(span.spanContext().traceId).toBe(work.spanContext().traceId)
    expect(span.status.code).toBe(SpanStatusCode.UNSET)
  }
  expect(hold.links.map((link) => link.context.spanId)).toEqual([wait.spanContext().spanId])
})

test('who is granted a lock by another caller keeps to its own trace', async () => {
  const locks = watched()
  const tracer = sdk.tracerProvider.getTracer('test')
  const [first, second] = [tracer.startSpan('first'), tracer.startSpan('second')]
  const holder = await context.with(trace.setSpan(context.active(), first), () => locks.acquire('a'))
  const waiting = context.with(trace.setSpan(context.active(), second), () => locks.acquire('a'))
  await clock.advance(1)
  await context.with(trace.setSpan(context.active(), first), () => holder.release())
  await (await waiting).release()
  const traces = (name: string) =>
    sdk.spans.filter((span) => span.name === name).map((span) => span.spanContext().traceId)
  const both = [first.spanContext().traceId, second.spanContext().traceId]
  expect(traces('acquire lock')).toEqual(both)
  expect(traces('hold lock')).toEqual(both)
})

test('what spans say of a lock', async () => {
  const locks = watched({ name: (name, signal) => (signal === 'span' ? name : withoutIds(name)) })
  const lock = await locks.acquire('gpu:7', { permits: 4, weight: 2 })
  await lock.release()
  const common = {
    'locks.backend': 'memory',
    'locks.mode': 'permit',
    'locks.namespace': 'shop',
    'locks.permits': 4,
    'locks.weight': 2,
    'locks.name': 'gpu:7',
  }
  expect(only('acquire lock').attributes).toEqual({ ...common, 'locks.outcome': 'granted', 'locks.handed_over': false })
  const tokens = [String(lock.token)]
  expect(only('hold lock').attributes).toEqual({ ...common, 'locks.outcome': 'released', 'locks.tokens': tokens })
})

test('the names of a set are a list', async () => {
  const locks = watched({ name: (name) => name })
  const set = await locks.acquireAll(['a', 'b'])
  await set.release()
  expect(only('hold lock').attributes['locks.names']).toEqual(['a', 'b'])
})

test('a wait that fails is an error with its type, and says nothing of the name', async () => {
  const locks = watched()
  await locks.acquire('secret-name')
  const late = locks.acquire('secret-name', { timeout: 100 }).catch((error: unknown) => error)
  await clock.advance(100)
  expect(String(await late)).toContain('secret-name')
  const [, span] = sdk.spans
  expect(span?.status).toEqual({ code: SpanStatusCode.ERROR })
  expect(span?.attributes).toMatchObject({ 'locks.outcome': 'failed', 'error.type': 'TIMEOUT' })
  expect(events(span as ReadableSpan)).toEqual(['queued'])
  expect(JSON.stringify([span?.attributes, span?.events, span?.name])).not.toContain('secret')
})

test('a refused try is no error', async () => {
  const locks = watched()
  await locks.acquire('a')
  expect(await locks.tryAcquire('a')).toBe(null)
  const [, span] = sdk.spans
  expect(span?.status.code).toBe(SpanStatusCode.UNSET)
  expect(span?.attributes['locks.outcome']).toBe('refused')
})

test('a hold that was at risk and was lost says so', async () => {
  const locks = watched()
  const lock = await locks.acquire('a')
  clock.stall(ttl * 0.6)
  await clock.advance(1)
  clock.stall(ttl)
  expect(lock.held).toBe(false)
  const hold = only('hold lock')
  expect(events(hold)).toEqual(['at risk'])
  expect(hold.status.code).toBe(SpanStatusCode.ERROR)
  expect(hold.attributes).toMatchObject({
    'locks.outcome': 'lost',
    'error.type': 'LOST',
    'locks.loss.reason': 'expired',
  })
})

test('a lock that was handed over says so', async () => {
  const locks = watched({}, { handover: 'local' })
  const holder = await locks.acquire('a')
  const next = locks.acquire('a')
  await holder.release()
  await (await next).release()
  const waits = sdk.spans.filter(({ name }) => name === 'acquire lock')
  expect(waits.map(({ attributes }) => attributes['locks.handed_over'])).toEqual([false, true])
})

test('there are none where they are not wanted, and metrics go on', async () => {
  const locks = watched({ spans: false })
  await (await locks.acquire('a')).release()
  expect(sdk.spans).toEqual([])
  expect(await sdk.total('locks.hold.duration')).toBe(1)
})
