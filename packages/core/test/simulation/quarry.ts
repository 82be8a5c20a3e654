/** The pieces of the museum that are adapters without timers of their own, and the promises that they break. */
export const quarry: ReadonlyMap<string, readonly string[]> = new Map([
  ['counts the deadline from the receipt of a grant', ['held', 'exclusion']],
  ['counts the deadline from the receipt of a renewal’s answer', ['held', 'exclusion']],
  ['takes the arrival of the news of a grant for a proof', ['held', 'exclusion']],
  ['knows of a loss by a timer only', ['held', 'exclusion', 'close']],
  ['answers a repeated request as if it came from somebody else', ['liveness', 'residue', 'release']],
  ['tells of a grant once, and never again when that was not heard', ['liveness', 'residue']],
  ['leaves a waiter that has been cancelled in the queue', ['residue']],
  ['never says that its session has ended', ['liveness']],
  ['takes an error of the store for "it is held"', ['refused']],
  ['says that a lock is there whatever became of it', ['told', 'held']],
  ['counts tokens in floating point beyond 2^53', ['once', 'tokens', 'held']],
])
