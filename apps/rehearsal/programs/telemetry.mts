import assert from 'node:assert/strict'
import { openLocks } from '@locks/core'
import { metrics, trace } from '@opentelemetry/api'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'

/** One lock in memory, and what OpenTelemetry's own SDK hears of it by what `watch` begins. */
export async function tryTelemetry(watch: () => { disable(): void }): Promise<void> {
  const numbers = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const spans = new InMemorySpanExporter()
  const meterProvider = new MeterProvider({ readers: [new PeriodicExportingMetricReader({ exporter: numbers })] })
  const tracerProvider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter: spans })] })
  metrics.setGlobalMeterProvider(meterProvider)
  trace.setGlobalTracerProvider(tracerProvider)

  const telemetry = watch()
  const locks = await openLocks('memory:')
  await locks.request('order:42', () => 'done')
  await locks.close()
  telemetry.disable()

  await Promise.all([meterProvider.forceFlush(), tracerProvider.forceFlush()])
  const told = numbers.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics))
  const names = told
    .filter(({ descriptor }) => descriptor.name === 'locks.hold.duration')
    .flatMap(({ dataPoints }) => dataPoints.map(({ attributes }) => attributes['locks.name']))
  assert.deepEqual(names, ['order:?'])
  assert.deepEqual(
    spans.getFinishedSpans().map(({ name }) => name),
    ['acquire lock', 'hold lock'],
  )
  await Promise.all([meterProvider.shutdown(), tracerProvider.shutdown()])
}
