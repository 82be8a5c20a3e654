import { absences, conformance, declaredAbsent, memoryHarness, reportTo } from '@locks/core/conformance'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

describe('memory', () => {
  const harness = memoryHarness()
  const report = reportTo(fileURLToPath(new URL('../../../.reports/conformance/memory.jsonl', import.meta.url)))

  conformance({ test, harness, report })

  test('declares absent what it may, and nothing else', () => {
    expect(absences(harness.capabilities)).toEqual(declaredAbsent.memory)
  })
})
