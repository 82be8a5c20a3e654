import { conformance, memoryHarness } from '@locks/core/conformance'
import { describe, test } from 'vitest'

describe('memory', () => {
  conformance({ test, harness: memoryHarness() })
})
