import { LocksInstrumentation, withoutIds } from '@locks/otel'
import { tryTelemetry } from './telemetry.mts'

await tryTelemetry(() => new LocksInstrumentation({ name: withoutIds }))
