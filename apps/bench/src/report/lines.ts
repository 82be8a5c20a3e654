import type { Verdict } from '../targets.ts'
import { spread } from './words.ts'

/** The table of targets as cells. */
export function verdictCells(verdicts: readonly Verdict[]): readonly (readonly string[])[] {
  return verdicts
    .filter(({ measured }) => measured)
    .map(({ claim, backend, bound, measured, kept }) => [
      kept === undefined ? '' : kept ? 'yes' : 'no',
      claim,
      backend,
      bound,
      measured?.where === undefined ? spread(measured) : `${spread(measured)}: ${measured.where}`,
    ])
}

export const verdictTitles = ['kept', 'target', 'backend', 'bound', 'measured: median (p10 to p90)']

/** As a terminal has it. */
export function verdictLines(verdicts: readonly Verdict[]): readonly string[] {
  const lines = verdictCells(verdicts).map(
    ([kept, claim, backend, bound, found]) => `${kept === 'no' ? '! ' : '  '}${backend}: ${claim}: ${found} (${bound})`,
  )
  const count = (kept: boolean) => verdicts.filter((verdict) => verdict.kept === kept).length
  const judged = count(true) + count(false)
  return judged === 0 ? lines : [...lines, `${count(true)} of ${judged} targets kept`]
}
