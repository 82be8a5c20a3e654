import { absences, conformance, declaredAbsent, reportTo } from '@locks/core/conformance'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { quorumHarness } from './quorum/harness.ts'

describe('quorum', async () => {
  const harness = await quorumHarness()
  const report = reportTo(fileURLToPath(new URL('../../../.reports/conformance/quorum.jsonl', import.meta.url)))

  conformance({ test, harness, report })

  test('declares absent what it may, and nothing else', () => {
    expect(absences(harness.capabilities)).toEqual(declaredAbsent.quorum)
  })
})
