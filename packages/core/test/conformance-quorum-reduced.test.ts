import { conformance } from '@locks/core/conformance'
import { describe, test } from 'vitest'
import { quorumHarness } from './quorum/harness.ts'

// With as few nodes as there may be.
describe('a quorum whose first node is silent', async () => {
  conformance({ test, harness: await quorumHarness({ node: 0, how: 'silence' }) })
})

describe('a quorum whose last node is cut off', async () => {
  conformance({ test, harness: await quorumHarness({ node: 2, how: 'cut' }) })
})
