export type { Capabilities, Requirements } from './capabilities.ts'
export type {
  AcquireOptions,
  CampaignOptions,
  LockOptions,
  ObserveOptions,
  RequestOptions,
  SetOptions,
} from './demand.ts'
export type { Election, Leadership } from './election.ts'
export { LockError, type ErrorCode, type ErrorDetails, type LossReason } from './errors.ts'
export type { Leader } from './leaders.ts'
export { admit, MemoryGuard, type Bearer, type Seen } from './guard.ts'
export type { Holding, Lock, LockSet } from './lock.ts'
export { LockManager, type ManagerOptions } from './manager.ts'
export { openLocks, type Adapter, type OpenOptions } from './open.ts'
export type { Mode } from './queue.ts'
export type { LockInfo, LockManagerSnapshot } from './snapshot.ts'
export type { Attempt, LockEvents, Warning } from './telemetry.ts'
