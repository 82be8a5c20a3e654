export { deadlines } from './deadlines.ts'
export { fencedRegister } from './fenced-register.ts'
export { handovers, histogram, type HandoverBounds, type Handovers } from './handover.ts'
export { accesses, only } from './history.ts'
export type {
  Access,
  Acquire,
  Fault,
  Final,
  Heal,
  History,
  HistoryRecord,
  Hold,
  Observed,
  Reading,
  Sighting,
} from './history.ts'
export { leaders } from './leaders.ts'
export { liveness } from './liveness.ts'
export { lostUpdates } from './lost-updates.ts'
export { arrivalOrder } from './order.ts'
export { outcomes } from './outcomes.ts'
export { overlap } from './overlap.ts'
export { refusals, type RefusalOptions } from './refusals.ts'
export { residue, type Leftover } from './residue.ts'
export { predicted, success, wilson, type Interval, type Series, type Share, type Success } from './success.ts'
export { tokenOrder } from './token-order.ts'
export { faultWithin, type Finding, type Verdict } from './verdict.ts'
