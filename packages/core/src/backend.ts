/** What the author of an adapter needs: the contract, and what all adapters share. */
export { demand, shortfalls, type Capabilities, type Requirements } from './capabilities.ts'
export {
  boolean,
  checkOptions,
  instance,
  integer,
  milliseconds,
  oneOf,
  optionsFromQuery,
  text,
  type Check,
  type Checked,
  type Checks,
} from './checks.ts'
export { settledWithin } from './attempts.ts'
export { elapsed, systemClock, type Clock, type Instant, type Timer } from './clock.ts'
export * from './contract.ts'
export { Heartbeat, type HeartbeatOptions } from './heartbeat.ts'
export { invalid, LockError, shown, unsupported, type ErrorCode, type ErrorDetails, type LossReason } from './errors.ts'
export { checkBearer, outdated, type Bearer } from './guard.ts'
export { Lanes } from './lanes.ts'
export { originsOf, type Origin } from './lock.ts'
export { decodeName, encodeName, keyOf } from './names.ts'
export { Admission, blockers, checkKind, granted, type Contender, type Mode } from './queue.ts'
export { systemRandom, type Random } from './random.ts'
export { Subscriptions, type Subscribe } from './subscriptions.ts'
export { warn } from './telemetry.ts'
export { unsentBecause } from './unsent.ts'
export type { Adapter } from './open.ts'
export { splitAuthority, splitUrl, type Authority, type Host, type SplitUrl } from './urls.ts'
