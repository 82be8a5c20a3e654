/**
 * Plays schedules against broken copies of the quorum until each is found out, and says by what, as JSON lines.
 *
 *   node --conditions=@locks/source packages/core/test/quorum/hunt.ts --schedules 500 any-order
 */
import fc from 'fast-check'
import { parseArgs } from 'node:util'
import { importMutated } from '../simulation/mutation.ts'
import { mutants } from './mutants.ts'
import { schedules, type Schedule } from './schedule.ts'
import type * as Towns from './town.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seed: { type: 'string', default: '1' }, schedules: { type: 'string', default: '500' } },
})

for (const mutant of mutants.filter(({ id }) => positionals.length === 0 || positionals.includes(id))) {
  const { Town } = await importMutated<typeof Towns>(new URL('./town.ts', import.meta.url), mutant)
  let played = 0
  const property = fc.asyncProperty(schedules(0.03), async (schedule) => {
    played++
    await new Town(schedule).run()
  })
  const seed = mutant.seed ?? Number(values.seed)
  const options = { seed, numRuns: Number(values.schedules), endOnFailure: true }
  const { errorInstance } = await fc.check<[Schedule]>(property, options)
  const { rule, message } = (errorInstance ?? {}) as { readonly rule?: string; readonly message?: string }
  console.log(JSON.stringify({ id: mutant.id, played, rule, error: message }))
}
