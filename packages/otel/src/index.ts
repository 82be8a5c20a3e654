export { instrumentLocks, LocksInstrumentation } from './instrumentation.ts'
export { withoutIds } from './names.ts'
export type { LocksTelemetryConfig, InstrumentLocksOptions, NameFor } from './config.ts'
