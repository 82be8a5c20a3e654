import { channel } from 'node:diagnostics_channel'
import { LockManager, type LockEvents } from '@locks/core'
import { memory } from '@locks/core/memory'
import { instrumentLocks, LocksInstrumentation } from '@locks/otel'
import { diag, DiagLogLevel, trace, type MeterProvider, type TracerProvider } from '@opentelemetry/api'
import { registerInstrumentations, type Instrumentation } from '@opentelemetry/instrumentation'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Sdk } from './sdk.ts'

const channels: readonly (keyof LockEvents)[] = [
  'locks:request',
  'locks:queued',
  'locks:granted',
  'locks:refused',
  'locks:failed',
  'locks:released',
  'locks:lost',
  'locks:at-risk',
  'locks:renewed',
  'locks:session',
  'locks:node',
  'locks:warning',
]

const listening = () => channels.filter((name) => channel(name).hasSubscribers)

let sdk: Sdk
let locks: LockManager

beforeEach(() => {
  sdk = new Sdk()
  locks = new LockManager(memory())
})

afterEach(async () => {
  await locks.close()
  await sdk.shutdown()
  expect(listening()).toEqual([])
})

test('it is one of the instrumentations that an SDK registers, with the providers that it is given', async () => {
  const { meterProvider, tracerProvider } = sdk
  const made = new LocksInstrumentation({ enabled: false })
  const one: Instrumentation = made
  expect(one.getConfig().enabled).toBe(false)
  const unregister = registerInstrumentations({ instrumentations: [one], meterProvider, tracerProvider })
  expect(one.getConfig().enabled).toBe(true)
  await (await locks.acquire('a')).release()
  expect(await sdk.total('locks.hold.duration')).toBe(1)
  expect(sdk.spans.map(({ name }) => name)).toEqual(['acquire lock', 'hold lock'])
  const [span] = sdk.spans
  expect(span?.instrumentationScope).toMatchObject({ name: '@locks/otel', version: made.instrumentationVersion })
  unregister()
  expect(one.getConfig().enabled).toBe(false)
  expect(listening()).toEqual([])
})

test('what is enabled twice listens once; what is disabled twice is disabled', async () => {
  const { meterProvider } = sdk
  using telemetry = instrumentLocks({ meterProvider })
  telemetry.enable()
  await (await locks.acquire('a')).release()
  expect(await sdk.total('locks.acquire.duration')).toBe(1)
  telemetry.disable()
  telemetry.disable()
})

test('it does not listen to warnings, which would then no longer reach the process', () => {
  using telemetry = instrumentLocks()
  expect(telemetry.getConfig().enabled).toBe(true)
  expect(listening()).not.toContain('locks:warning')
})

test('disabled in the middle, it leaves nothing behind: nobody waits or holds, and no span is open', async () => {
  const { meterProvider, tracerProvider } = sdk
  const telemetry = instrumentLocks({ meterProvider, tracerProvider })
  const lock = await locks.acquire('a')
  const waiting = locks.acquire('a')
  telemetry.disable()
  expect([await sdk.total('locks.held'), await sdk.total('locks.waiting')]).toEqual([0, 0])
  expect(sdk.spans.map(({ name }) => name)).toEqual(['acquire lock', 'hold lock', 'acquire lock'])
  await lock.release()
  await (await waiting).release()
  expect(await sdk.total('locks.hold.duration')).toBe(0)
})

test('locks that were asked for before are not counted', async () => {
  const { meterProvider } = sdk
  const lock = await locks.acquire('a')
  const waiting = locks.acquire('a')
  using _telemetry = instrumentLocks({ meterProvider })
  await lock.release()
  await (await waiting).release()
  expect([await sdk.total('locks.held'), await sdk.total('locks.waiting')]).toEqual([0, 0])
  await (await locks.acquire('a')).release()
  expect(await sdk.total('locks.hold.duration')).toBe(1)
})

test('another meter provider takes over', async () => {
  const late = new Sdk()
  using telemetry = instrumentLocks({ meterProvider: sdk.meterProvider })
  const before = await locks.acquire('a')
  telemetry.setMeterProvider(late.meterProvider)
  expect(await sdk.total('locks.held')).toBe(0)
  await before.release()
  await (await locks.acquire('a')).release()
  expect(await late.total('locks.hold.duration')).toBe(1)
  expect(await late.total('locks.held')).toBe(0)
  await late.shutdown()
})

test('a name function that throws costs the name, and a tracer that throws the spans; neither reaches the caller', async () => {
  const told: unknown[][] = []
  const note = (...said: unknown[]) => void told.push(said)
  diag.setLogger({ error: note, warn: note, info: note, debug: note, verbose: note }, DiagLogLevel.ERROR)
  const broken = () => {
    throw new Error('no such luck')
  }
  const tracerProvider: TracerProvider = { getTracer: () => ({ startSpan: broken, startActiveSpan: broken }) }
  using _telemetry = instrumentLocks({ meterProvider: sdk.meterProvider, tracerProvider, name: broken })
  await (await locks.acquire('a')).release()
  expect(await sdk.points('locks.hold.duration')).toMatchObject([
    { attributes: { 'locks.backend': 'memory', 'locks.mode': 'exclusive', 'locks.outcome': 'released' } },
  ])
  // The name on metrics, the name on spans, the span.
  expect(told).toHaveLength(3)
  diag.disable()
})

test('metrics that throw cost no spans', async () => {
  const { meterProvider: real, tracerProvider } = sdk
  const broken = () => {
    throw new Error('no such luck')
  }
  const meterProvider: MeterProvider = {
    getMeter: (name) => Object.create(real.getMeter(name), { createHistogram: { value: () => ({ record: broken }) } }),
  }
  using _telemetry = instrumentLocks({ meterProvider, tracerProvider })
  await (await locks.acquire('a')).release()
  expect(sdk.spans.map(({ name }) => name)).toEqual(['acquire lock', 'hold lock'])
})

test('without any SDK nothing happens, and locks work', async () => {
  using _telemetry = instrumentLocks()
  expect(await (await locks.acquire('a')).release()).toBe('released')
  expect(trace.getActiveSpan()).toBe(undefined)
})

test.each([
  [{ names: 1 }, /unknown option "names"; known are enabled, name, spans/],
  [{ name: 'order' }, /name must be a function of a name; got "order"/],
  [{ spans: 'no' }, /spans must be true or false; got "no"/],
])('%j is refused', (config, message) => {
  expect(() => new LocksInstrumentation(config as object)).toThrow(message)
})
