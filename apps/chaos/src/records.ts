/** What the checkers of `@locks/core/conformance` read, by the names that this program uses for it. */
export type {
  Access,
  Acquire,
  Fault as FaultRecord,
  Final,
  HistoryRecord,
  Hold,
  Observed,
  Reading,
  Series,
  Sighting,
} from '@locks/core/conformance'
export type { Mode } from '@locks/core'
