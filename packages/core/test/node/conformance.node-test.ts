import { conformance, memoryHarness } from '@locks/core/conformance'
import { describe, test } from 'node:test'

describe('memory under node:test', () => {
  conformance({ test, harness: memoryHarness() })
})
