import fc from 'fast-check'
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, test } from 'vitest'
import { mutants } from './quorum/mutants.ts'
import { schedules } from './quorum/schedule.ts'
import { Town } from './quorum/town.ts'

/** Another one in every run: what it finds, it prints so that it can be found again. */
const fresh = Date.now() % 2 ** 31

describe('whatever becomes of nodes, clients and messages, one holds at a time while no node forgets', () => {
  test.for([
    ['a seed that is always the same', 1, 200],
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

describe('the simulation finds out a quorum that', () => {
  const results = new Map<string, { readonly rule?: string }>()

  beforeAll(async () => {
    // In a process of its own: a mutant is made while its module is loaded.
    const program = fileURLToPath(new URL('./quorum/hunt.ts', import.meta.url))
    const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=@locks/source', program])
    for (const line of stdout.trim().split('\n')) {
      const result = JSON.parse(line) as { readonly id: string; readonly rule?: string }
      results.set(result.id, result)
    }
  })

  test.for(mutants)('$defect', ({ id, shows }) => {
    expect(shows).toContain(results.get(id)?.rule)
  })
})
