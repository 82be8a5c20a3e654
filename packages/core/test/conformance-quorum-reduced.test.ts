import { conformance } from '@locks/core/conformance'
import { describe, test } from 'vitest'
import { quorumHarness } from './quorum/harness.ts'

// With as few nodes as there may be, whichever is missing, and however.
describe('a quorum without its first node', () => {
  conformance({ test, harness: quorumHarness((wires) => wires[0]!.silence()) })
})

describe('a quorum without its last node', () => {
  conformance({ test, harness: quorumHarness((wires) => wires[2]!.cut()) })
})
