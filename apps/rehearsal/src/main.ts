/**
 * What `pnpm release:rehearse` starts: everything is released to a registry on this machine, each package is installed
 * alone and used on a real server. The last line is `N passed, N failed`; nothing is left behind but what is kept in
 * `node_modules/.cache/rehearsal`.
 *   PACKAGE...   tries out these only: redis postgres
 */
import process from 'node:process'
import { table, type Outcome } from './outcome.ts'
import { rehearse } from './rehearse.ts'
import { openStage } from './stage.ts'

const signals: readonly NodeJS.Signals[] = ['SIGHUP', 'SIGINT', 'SIGTERM']
const stage = await openStage()
const started = performance.now()
const outcomes: Outcome[] = []

const interrupted = new Promise<never>((_, reject) => {
  for (const signal of signals) process.on(signal, () => reject(new Error(`interrupted by ${signal}`)))
})

try {
  const rehearsal = rehearse(stage, process.argv.slice(2), (outcome) => {
    outcomes.push(outcome)
    const { row, column, problem } = outcome
    if (problem !== undefined) console.error(`FAILED ${row}: ${column}: ${problem}\n`)
  })
  await Promise.race([rehearsal, interrupted])
} catch (error) {
  const problem = error instanceof Error ? error.message : String(error)
  outcomes.push({ row: 'rehearsal', column: 'all of it', took: 0, problem })
  console.error(`FAILED rehearsal: ${problem}\n`)
} finally {
  await stage.end()
}

console.log(table(outcomes))
console.log(`\n${Math.round((performance.now() - started) / 1_000)} s`)
const failed = outcomes.filter(({ problem }) => problem !== undefined).length
console.log(`${outcomes.length - failed} passed, ${failed} failed`)
// Whatever was still about to start when it was interrupted shall not.
process.exit(failed > 0 ? 1 : 0)
