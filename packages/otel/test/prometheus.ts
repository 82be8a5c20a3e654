import { PrometheusSerializer } from '@opentelemetry/exporter-prometheus'
import type { ResourceMetrics } from '@opentelemetry/sdk-metrics'

export interface Series {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
}

/** The series that Prometheus has when it scrapes the exporter of OpenTelemetry JS, which leaves units out of names. */
export function scraped(metrics: ResourceMetrics): Series[] {
  const text = new PrometheusSerializer(undefined, false, undefined, true).serialize(metrics)
  return text.split('\n').flatMap((line) => {
    const [, name, labels = ''] = /^(\w+)(?:\{(.*)\})? \S+$/.exec(line) ?? []
    return name === undefined ? [] : [{ name, labels: labelsIn(labels) }]
  })
}

/**
 * The series that Prometheus has of what comes by OTLP, to itself or to the collector: with the unit behind the name, and
 * before what a histogram adds; units in braces are no units.
 */
export function translated(metrics: ResourceMetrics): Series[] {
  const timed = metrics.scopeMetrics
    .flatMap(({ metrics: all }) => all)
    .filter(({ descriptor }) => descriptor.unit === 's')
    .map(({ descriptor }) => descriptor.name.replaceAll('.', '_'))
  return scraped(metrics).map(({ name, labels }) => {
    const base = timed.find((each) => name.startsWith(`${each}_`))
    return { name: base === undefined ? name : `${base}_seconds${name.slice(base.length)}`, labels }
  })
}

function labelsIn(text: string): Record<string, string> {
  const found = text.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)
  // Prometheus adds where it has it from.
  return {
    job: 'shop',
    instance: 'shop:9464',
    ...Object.fromEntries(Array.from(found, ([, key, value]) => [key, value])),
  }
}
