import { readFileSync } from 'node:fs'
import type { Attempt } from '@locks/core'
import { metrics, trace, type MeterProvider, type TracerProvider } from '@opentelemetry/api'
import { guarded, listen } from './channels.ts'
import { checkConfig, type InstrumentLocksOptions, type LocksTelemetryConfig } from './config.ts'
import { Follower, type Course } from './follower.ts'
import { Measures } from './metrics.ts'
import { TracedCourse } from './spans.ts'

/**
 * Watches all lock managers of the process, and makes metrics and spans of what they tell. It fits into the list of
 * `instrumentations` that `NodeSDK` and `registerInstrumentations` take; `instrumentLocks` needs neither.
 */
export class LocksInstrumentation implements Disposable {
  readonly instrumentationName = '@locks/otel'
  readonly instrumentationVersion = version()
  #config: LocksTelemetryConfig
  #meterProvider: MeterProvider | undefined
  #tracerProvider: TracerProvider | undefined
  #stop: (() => void) | undefined

  constructor(config?: LocksTelemetryConfig) {
    this.#config = checkConfig(config)
    if (this.#config.enabled) this.enable()
  }

  /** Watches from now on; locks that were asked for before are not counted. */
  enable(): void {
    this.#stop ??= this.#watch()
  }

  /** Listens to nothing any more. What was counted as waiting or held no longer is, and spans that are open end. */
  disable(): void {
    this.#stop?.()
    this.#stop = undefined
  }

  [Symbol.dispose](): void {
    this.disable()
  }

  setMeterProvider(provider: MeterProvider): void {
    this.#meterProvider = provider
    this.#restart()
  }

  setTracerProvider(provider: TracerProvider): void {
    this.#tracerProvider = provider
    this.#restart()
  }

  setConfig(config: LocksTelemetryConfig): void {
    this.#config = checkConfig(config)
    this.#restart()
  }

  getConfig(): LocksTelemetryConfig {
    return { ...this.#config, enabled: this.#stop !== undefined }
  }

  #restart(): void {
    if (!this.#stop) return
    this.disable()
    this.enable()
  }

  #watch(): () => void {
    const { name, spans = true } = this.#config
    const of = [this.instrumentationName, this.instrumentationVersion] as const
    const measures = new Measures((this.#meterProvider ?? metrics).getMeter(...of), name)
    const tracer = (this.#tracerProvider ?? trace).getTracer(...of)
    const follower = new Follower((attempt: Attempt): Course[] => {
      const courses: Course[] = []
      guarded(() => courses.push(measures.begin(attempt)))
      if (spans) guarded(() => courses.push(new TracedCourse(attempt, tracer, name)))
      return courses
    })
    const unlisten = listen({ ...follower.handlers, ...measures.handlers })
    return () => {
      unlisten()
      follower.abandon()
    }
  }
}

/** Watches all lock managers of the process until `disable()` is called, or it is disposed of. */
export function instrumentLocks(options: InstrumentLocksOptions = {}): LocksInstrumentation {
  const { meterProvider, tracerProvider, ...config } = options
  const made = new LocksInstrumentation({ ...config, enabled: false })
  if (meterProvider) made.setMeterProvider(meterProvider)
  if (tracerProvider) made.setTracerProvider(tracerProvider)
  made.enable()
  return made
}

function version(): string {
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
  return manifest.version
}
