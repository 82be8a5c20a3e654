import type { Meter } from '@opentelemetry/api'

/** Seconds: from a free lock in memory to a long queue. */
const waits = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300]
/** Seconds: from a counter that is raised to a leader that stays. */
const holds = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 1_800, 3_600]
/** Seconds, as the conventions advise for calls of a database. */
const roundTrips = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10]

export type Instruments = ReturnType<typeof instrumentsOf>

/** Everything that is measured. */
export function instrumentsOf(meter: Meter) {
  const seconds = (name: string, description: string, explicitBucketBoundaries: number[]) =>
    meter.createHistogram(name, { description, unit: 's', advice: { explicitBucketBoundaries } })
  const count = (name: string, unit: string, description: string) => meter.createCounter(name, { description, unit })
  const level = (name: string, unit: string, description: string) =>
    meter.createUpDownCounter(name, { description, unit })
  return {
    acquired: seconds('locks.acquire.duration', 'How long a call for a lock took, from the call to its answer.', waits),
    held: seconds('locks.hold.duration', 'How long a lock was held, from its grant to its release or loss.', holds),
    renewed: seconds('locks.renewal.duration', 'How long a renewal of all locks of a manager took.', roundTrips),
    waiting: level('locks.waiting', '{request}', 'Calls for a lock that have not been answered.'),
    holding: level('locks.held', '{lock}', 'Locks that are held.'),
    timeouts: count('locks.timeouts', '{request}', 'Calls for a lock that gave up waiting.'),
    losses: count('locks.losses', '{lock}', 'Locks that were lost while they were held.'),
    risks: count('locks.at_risk', '{lock}', 'Locks that were not confirmed for half their ttl.'),
    handovers: count('locks.handovers', '{lock}', 'Locks that passed to a caller of the same manager.'),
    ends: count('locks.session.ends', '{session}', 'Sessions at the store that ended before their manager closed.'),
  }
}
