import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { clockError } from './simulation/schedule.ts'
import { found } from './simulation/found.ts'
import { mutants } from './simulation/mutants.ts'
import { play, replay, type Played } from './simulation/play.ts'
import { quarry } from './simulation/quarry.ts'
import { told } from './simulation/telling.ts'

/** Another one in every run: what it finds, it prints so that it can be found again. */
const fresh = Date.now() % 2 ** 31

describe('whatever becomes of clients, clocks and messages, core keeps its promises', () => {
  test.for([
    ['a seed that is always the same', 1, 500],
    [`seed ${fresh}, of this run`, fresh, 300],
  ] as const)('%s', async ([, seed, schedules]) => {
    const played = await play({ seed, schedules })
    expect(played.schedule && (await told(seed, played))).toBeUndefined()
    expect(played.played).toBe(schedules)
  })

  test.for(found)('found before: $what', async ({ schedule }) => {
    expect((await replay(schedule)).error).toBeUndefined()
  })
})

describe('the simulation finds out', () => {
  /** In a process of its own, at the side of the schedules above: a mutant is made while its module is loaded. */
  const program = fileURLToPath(new URL('./simulation/hunt.ts', import.meta.url))
  const hunt = spawn(process.execPath, ['--conditions=@locks/source', program, '--schedules', '1500'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const results = new Map<string, Played & { readonly id: string }>()
  const read = (async () => {
    for await (const line of createInterface(hunt.stdout)) {
      const result = JSON.parse(line) as Played & { readonly id: string }
      results.set(result.id, result)
    }
  })()

  beforeAll(async () => {
    await Promise.all([read, once(hunt, 'close')])
  })

  afterAll(() => {
    hunt.kill()
  })

  test.for(mutants)('a core that $defect', ({ id, shows }) => {
    expect(shows).toContain(results.get(id)?.rule)
  })

  test.for(quarry)('an adapter that $defect', ({ defect, shows }) => {
    expect(shows).toContain(results.get(defect)?.rule)
  })

  test('clocks that are further apart than a lease’s margin allows for', async () => {
    const { rule } = await play({ seed: 13, schedules: 1_000, shrinks: false, clockError: 2 * clockError })
    expect(rule).toBe('held')
  })
})
