/**
 * Plays schedules that one seed makes, and says how many a minute.
 *
 *   node --conditions=@locks/source packages/core/test/simulation/run.ts --seed 1 --schedules 1000
 */
import { parseArgs } from 'node:util'
import { play } from './play.ts'
import { told } from './telling.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    schedules: { type: 'string', default: '1000' },
    path: { type: 'string' },
  },
})

const seed = Number(values.seed)
const started = performance.now()
const result = await play({ seed, schedules: Number(values.schedules), path: values.path })
const took = performance.now() - started
const pace = Math.round((result.played / took) * 60_000)
console.log(`seed ${seed}: ${result.played} schedules in ${(took / 1_000).toFixed(1)} s, ${pace} a minute`)
if (result.schedule) {
  console.log(`\n${await told(seed, result)}`)
  process.exitCode = 1
}
