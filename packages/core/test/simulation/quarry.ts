/** A piece of the museum that is to be found out, and how. */
export interface Quarry {
  readonly defect: string
  /** A seed that shows it soon. */
  readonly seed: number
  /** Which broken promises may show it. */
  readonly shows: readonly string[]
}

/** The pieces that are adapters without timers of their own, with a defect that core can meet here. */
export const quarry: readonly Quarry[] = [
  { defect: 'counts the deadline from the receipt of a grant', seed: 10, shows: ['held', 'exclusion'] },
  { defect: 'counts the deadline from the receipt of a renewal’s answer', seed: 8, shows: ['held', 'exclusion'] },
  { defect: 'takes the arrival of the news of a grant for a proof', seed: 6, shows: ['held', 'exclusion'] },
  { defect: 'knows of a loss by a timer only', seed: 1, shows: ['held', 'exclusion', 'close'] },
  {
    defect: 'answers a repeated request as if it came from somebody else',
    seed: 5,
    shows: ['liveness', 'residue', 'release'],
  },
  { defect: 'tells of a grant once, and never again when that was not heard', seed: 9, shows: ['liveness'] },
  { defect: 'leaves a waiter that has been cancelled in the queue', seed: 2, shows: ['residue', 'order'] },
  { defect: 'never says that its session has ended', seed: 8, shows: ['liveness'] },
  { defect: 'takes an error of the store for "it is held"', seed: 3, shows: ['refused', 'error'] },
  { defect: 'says that a lock is there whatever became of it', seed: 2, shows: ['told', 'held'] },
  { defect: 'counts tokens in floating point beyond 2^53', seed: 1, shows: ['once', 'tokens', 'held'] },
]
