import type { Mutant } from '../simulation/mutation.ts'

/** Decisions of the quorum, each of which has to be missed when it is taken out. */
export const mutants: readonly Mutant[] = [
  {
    id: 'no-write-back',
    defect: 'does not write the highest token back to the majority',
    file: 'quorum/fence.ts',
    text: 'if (token === undefined || tokenOf(vote) >= token) return true',
    becomes: 'if (true) return true',
    shows: ['tokens'],
  },
  {
    id: 'newest-proof',
    defect: 'counts the validity from the newest proof of any node',
    file: 'quorum/votes.ts',
    text: 'toSorted((a, b) => untilOf(b) - untilOf(a))[this.#majority - 1]',
    becomes: 'toSorted((a, b) => untilOf(b) - untilOf(a))[0]',
    shows: ['majority', 'exclusion'],
  },
  {
    id: 'waits-in-a-circle',
    defect: 'waits without a bound where not everybody has the nodes in the same order',
    file: 'quorum/rounds.ts',
    text: 'ballot.count > 0 ? atMost : undefined',
    becomes: 'undefined',
    shows: ['liveness'],
  },
  {
    id: 'asks-on',
    defect: 'asks on for a claim that was let go of during a pause',
    file: 'quorum/claim.ts',
    text: 'if (over()) return\n      }',
    becomes: '}',
    seed: 454_450_747,
    shows: ['liveness', 'residue'],
  },
  {
    id: 'half',
    defect: 'is content with a vote less than the majority',
    file: 'quorum/index.ts',
    text: 'const majority = (nodes.length + 1) / 2',
    becomes: 'const majority = (nodes.length - 1) / 2',
    shows: ['exclusion', 'majority'],
  },
]
