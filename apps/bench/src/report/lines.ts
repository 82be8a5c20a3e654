import type { Verdict } from '../targets.ts'
import { spread } from './words.ts'

/** The table of targets as cells: what, where, bound, measured, and whether it was kept. */
export function verdictCells(verdicts: readonly Verdict[]): readonly (readonly string[])[] {
  return verdicts
    .filter(({ measured }) => measured)
    .map(({ claim, backend, bound, measured, kept }) => [
      claim,
      backend,
      bound,
      measured?.where === undefined ? spread(measured) : `${spread(measured)}: ${measured.where}`,
      kept ? 'yes' : 'no',
    ])
}

export const verdictTitles = ['target', 'backend', 'bound', 'measured: median (p10 to p90)', 'kept']

/** As a terminal has it. */
export function verdictLines(verdicts: readonly Verdict[]): readonly string[] {
  const missed = verdicts.filter(({ kept }) => kept === false).length
  const measured = verdicts.filter((verdict) => verdict.measured).length
  const lines = verdictCells(verdicts).map(
    ([claim, backend, bound, found, kept]) =>
      `${kept === 'yes' ? '  ' : '! '}${backend}: ${claim}: ${found} (${bound})`,
  )
  return [...lines, `${measured - missed} of ${measured} targets kept; ${verdicts.length - measured} not measured`]
}
