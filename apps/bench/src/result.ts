import type { BackendName, WorkloadName } from './names.ts'
import type { Spread } from './spread.ts'

/** Everything that a run came to, as `bench.json` has it. */
export interface Result {
  /** A smoke test of the checks: sizes are far smaller than they are called. */
  readonly quick: boolean
  readonly machine: Machine
  /** By package or server, what was measured. */
  readonly versions: Readonly<Record<string, string>>
  /** By backend and subject, how it is set up. */
  readonly subjects: readonly SubjectFacts[]
  readonly tables: readonly Table[]
  /** Workloads that ended before their time. */
  readonly failures: readonly string[]
}

export interface Machine {
  readonly date: string
  readonly cores: number
  readonly processor: string
  readonly memory: string
  readonly system: string
  readonly minutes: number
}

export type Kind = 'ours' | 'floor' | 'peer'

export interface SubjectFacts {
  readonly backend: BackendName
  readonly name: string
  readonly kind: Kind
  readonly settings: string
  readonly polls: boolean
}

/** One chart: subjects beside each other at one workload. */
export interface Table {
  readonly workload: WorkloadName
  readonly backend: BackendName
  /** Of several of a workload. */
  readonly case: string
  /** Of the costs; less is better. */
  readonly unit: string
  /** The subject whose cost is 1. */
  readonly base: string
  readonly rows: readonly Row[]
}

export interface Row {
  readonly subject: string
  readonly kind: Kind
  readonly cost?: Spread | undefined
  /** In units of the base, round by round. */
  readonly ratio?: Spread | undefined
  /** What ours costs in units of this one, round by round: below 1, ours is faster. */
  readonly ours?: Spread | undefined
  /** What was counted. */
  readonly facts?: Readonly<Record<string, number>> | undefined
  /** Why there is nothing, or nothing more. */
  readonly cannot?: string | undefined
}
