import { cases, memoryHarness, runCase } from '@locks/core/conformance'
import { describe, expect, test } from 'vitest'
import { museumHarness } from './museum/boundary.ts'
import { pieces } from './museum/index.ts'

/** What a case says of a backend: nothing if it passes. */
async function complaint(id: string, harness: Parameters<typeof runCase>[1]): Promise<unknown> {
  const found = cases.find((each) => each.id === id)
  if (!found) expect.unreachable(`no case is called ${id}`)
  return runCase(found, harness).then(
    (outcome) => {
      expect(outcome).toBe('pass')
    },
    (error: unknown) => error,
  )
}

const fairWeather = ['release/released', 'exclusion/not-re-entrant']

describe('a backend that', () => {
  for (const piece of pieces) {
    test(`${piece.defect} fails ${piece.caughtBy}, which the healthy one passes`, async () => {
      expect(await complaint(piece.caughtBy, memoryHarness())).toBeUndefined()
      const complained = await complaint(piece.caughtBy, museumHarness(piece))
      expect(complained).toBeInstanceOf(Error)
      // And not because it falls apart: in fair weather it locks, queues and releases.
      expect((complained as Error).name).toMatch(/^(AssertionError|LockError|AbortError)$/)
      for (const each of fairWeather) expect(await complaint(each, museumHarness(piece))).toBeUndefined()
    })
  }
})
