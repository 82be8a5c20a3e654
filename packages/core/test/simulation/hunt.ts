/**
 * Plays schedules against broken copies of core, and against core over broken adapters, until each is found out, and
 * says by what, as JSON lines.
 *
 *   node --conditions=@locks/source packages/core/test/simulation/hunt.ts --schedules 1000 no-margin
 */
import { parseArgs } from 'node:util'
import { pieces } from '../museum/index.ts'
import { importMutated } from './mutation.ts'
import { mutants } from './mutants.ts'
import { contrived, found } from './found.ts'
import type * as Play from './play.ts'
import { play, type Played } from './play.ts'
import { quarry } from './quarry.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seed: { type: 'string', default: '1' }, schedules: { type: 'string', default: '1000' } },
})
const options = { seed: Number(values.seed), schedules: Number(values.schedules), shrinks: false }
const wanted = (id: string) => positionals.length === 0 || positionals.includes(id)

for (const mutant of mutants.filter(({ id }) => wanted(id))) {
  const broken = await importMutated<typeof Play>(new URL('./play.ts', import.meta.url), mutant)
  const known = found.find((each) => each.mutant === mutant.id)?.schedule ?? contrived.get(mutant.id)
  const { seed = options.seed } = mutant
  report(mutant.id, known ? await broken.replay(known) : await broken.play({ ...options, seed }))
}
for (const { defect, seed } of quarry.filter((each) => wanted(each.defect))) {
  const piece = pieces.find((each) => each.defect === defect)
  if (!piece) throw new Error(`no piece of the museum ${defect}`)
  report(defect, await play({ ...options, seed, wrap: piece.adapter ?? piece.store }))
}

function report(id: string, { played, rule, error }: Played): void {
  console.log(JSON.stringify({ id, played, rule, error }))
}
