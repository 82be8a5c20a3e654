import type { Mutant } from '../simulation/mutation.ts'

/** Decisions of the quorum, each of which has to be missed when it is taken out. */
export const mutants: readonly Mutant[] = [
  {
    id: 'quorum-no-write-back',
    defect: 'does not write the highest token back to the majority',
    file: 'quorum/claim.ts',
    text: 'if (token === undefined || (tokens[0] ?? 0n) >= token) return true',
    becomes: 'if (true) return true',
    shows: ['tokens'],
  },
  {
    id: 'quorum-newest-proof',
    defect: 'counts the validity from the newest proof of any node',
    file: 'quorum/votes.ts',
    text: 'toSorted((a, b) => untilOf(b) - untilOf(a))[this.#majority - 1]',
    becomes: 'toSorted((a, b) => untilOf(b) - untilOf(a))[0]',
    shows: ['majority', 'exclusion'],
  },
  {
    id: 'quorum-any-order',
    defect: 'waits at the nodes in an order of its own',
    file: 'quorum/claim.ts',
    text: 'for (const node of first ? nodes.slice(nodes.indexOf(first.node)) : nodes) {',
    becomes: 'for (const node of nodes.toSorted(() => this.#host.random.unit() - 0.5)) {',
    shows: ['liveness'],
  },
  {
    id: 'quorum-asks-on',
    defect: 'asks on for a claim that was let go of during a pause',
    file: 'quorum/claim.ts',
    text: 'if (this.#over) return\n      }',
    becomes: '}',
    shows: ['liveness', 'residue'],
  },
  {
    id: 'quorum-half',
    defect: 'is content with a vote less than the majority',
    file: 'quorum/index.ts',
    text: 'const majority = (nodes.length + 1) / 2',
    becomes: 'const majority = (nodes.length - 1) / 2',
    shows: ['exclusion', 'majority'],
  },
]
