import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { schedules } from './quorum/schedule.ts'
import { Town } from './quorum/town.ts'

/** Another one in every run: what it finds, it prints so that it can be found again. */
const fresh = Date.now() % 2 ** 31

describe('whatever becomes of nodes, clients and messages, one holds at a time while no node forgets', () => {
  test.for([
    ['a seed that is always the same', 1, 150],
    [`seed ${fresh}, of this run`, fresh, 100],
  ] as const)('%s', async ([, seed, numRuns]) => {
    let grants = 0
    const property = fc.asyncProperty(schedules(0.03), async (schedule) => {
      grants += await new Town(schedule).run()
    })
    await fc.assert(property, { seed, numRuns })
    expect(grants).toBeGreaterThan(numRuns)
  })
})
