import { cases, conformance, type Outcome } from '@locks/core/conformance'
import { describe, expect, test } from 'vitest'
import { bareHarness } from './bare.ts'

describe('a backend that has no optional capability', () => {
  const outcomes = new Map<string, Outcome>()

  conformance({ test, harness: bareHarness(), report: ({ id, outcome }) => outcomes.set(id, outcome) })

  test('refuses whatever needs one, and nothing else', () => {
    const refused = cases.filter(({ requires = {} }) => Object.keys(requires).length > 0).map(({ id }) => id)
    const others = [...outcomes].filter(([, outcome]) => outcome !== 'pass').map(([id]) => id)
    expect(others.toSorted()).toEqual(refused.toSorted())
  })
})
