/**
 * The contract as tests: `conformance({ test, harness })` holds any backend to it under any test runner.
 */
export { conformance, runCase, type BindOptions, type Test } from './bind.ts'
export type { Case, Outcome } from './case.ts'
export { cases } from './cases/index.ts'
export { Context } from './context.ts'
export type { ChildOptions, Harness, Wire, Wired } from './harness.ts'
export { absences } from '../capabilities.ts'
export { declaredAbsent } from './declared.ts'
export { memoryHarness } from './memory-harness.ts'
export { readReport, reportTo, type Report, type Row } from './report.ts'
export { wired } from './wire.ts'
/** What is to be found in a recorded history of locks that should not be there. Pure functions, one a promise. */
export * from './checkers/index.ts'
