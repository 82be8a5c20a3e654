import type { MeterProvider, TracerProvider } from '@opentelemetry/api'
import { boolean, checkOptions, instance } from '@locks/core/backend'

/**
 * What a lock's name becomes in telemetry, or undefined to leave it out. `signal` says where it is to stand: the values
 * on metrics must be few, since each of them is a time series of its own; those on spans may be many.
 */
export type NameFor = (name: string, signal: 'metric' | 'span') => string | undefined

export interface LocksTelemetryConfig {
  /** Whether it watches from the start; true unless said otherwise. */
  readonly enabled?: boolean
  /** What `locks.name` is; left out everywhere unless said otherwise. `withoutIds` is one to start with. */
  readonly name?: NameFor | undefined
  /** Whether there are spans; true unless said otherwise. */
  readonly spans?: boolean | undefined
}

export interface InstrumentLocksOptions extends Omit<LocksTelemetryConfig, 'enabled'> {
  /** Where metrics go; to the provider that is registered globally by then unless said otherwise. */
  readonly meterProvider?: MeterProvider | undefined
  /** Where spans go; to the provider that is registered globally unless said otherwise. */
  readonly tracerProvider?: TracerProvider | undefined
}

const checks = {
  enabled: boolean,
  name: instance('a function of a name', (value): value is NameFor => typeof value === 'function'),
  spans: boolean,
}

/** Refuses what is unknown or of the wrong type. */
export function checkConfig(config: unknown): LocksTelemetryConfig {
  const { enabled = true, name, spans } = checkOptions(config, checks)
  return { enabled, name, spans }
}
