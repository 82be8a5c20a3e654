import type { Attributes } from '@opentelemetry/api'
import {
  AggregationTemporality,
  DataPointType,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
  type Histogram,
  type MetricData,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics'
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider, type ReadableSpan } from '@opentelemetry/sdk-trace'

export interface Point {
  readonly attributes: Attributes
  readonly value: number | Histogram
}

/** The real SDK, with everything kept in memory. */
export class Sdk {
  readonly #metrics = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  readonly #spans = new InMemorySpanExporter()
  readonly meterProvider = new MeterProvider({
    readers: [new PeriodicExportingMetricReader({ exporter: this.#metrics })],
  })
  readonly tracerProvider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter: this.#spans })] })

  /** All points of a metric, as they are now. */
  async points(name: string): Promise<readonly Point[]> {
    const metric = await this.metric(name)
    if (metric?.dataPointType === DataPointType.EXPONENTIAL_HISTOGRAM) throw new Error('buckets are not as advised')
    return metric?.dataPoints ?? []
  }

  async metric(name: string): Promise<MetricData | undefined> {
    return (await this.metrics()).find(({ descriptor }) => descriptor.name === name)
  }

  async metrics(): Promise<readonly MetricData[]> {
    return (await this.collect())?.scopeMetrics.flatMap(({ metrics }) => metrics) ?? []
  }

  async collect(): Promise<ResourceMetrics | undefined> {
    await this.meterProvider.forceFlush()
    return this.#metrics.getMetrics().at(-1)
  }

  /** The sum of a counter, or the count of a histogram, over all points with these attributes. */
  async total(name: string, attributes: Attributes = {}): Promise<number> {
    const wanted = Object.entries(attributes)
    const points = (await this.points(name)).filter((point) =>
      wanted.every(([key, value]) => point.attributes[key] === value),
    )
    return points.reduce((sum, { value }) => sum + (typeof value === 'number' ? value : value.count), 0)
  }

  /** Those that have ended, in that order. */
  get spans(): readonly ReadableSpan[] {
    return this.#spans.getFinishedSpans()
  }

  async shutdown(): Promise<void> {
    await Promise.all([this.meterProvider.shutdown(), this.tracerProvider.shutdown()])
  }
}
