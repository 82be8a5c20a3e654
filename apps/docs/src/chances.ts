import { read } from './files.ts'
import { number, rowsOf } from './tables.ts'

export interface Chance {
  readonly backend: string
  readonly fault: string
  readonly series: number
  readonly measured: number
  readonly low: number
  readonly high: number
  readonly predicted: number
  readonly causes: readonly number[]
  readonly because: string
}

/** What the campaigns in safety mode came to, in percent. */
export function chances(): Chance[] {
  const rows = rowsOf(read('docs/chaos.md'), 'fault', 'series', 'succeeded', 'predicted')
  return rows
    .filter(({ mode }) => mode === 'safety')
    .map((row) => {
      const [low = 0, high = 0] = (row['95 %'] ?? '').split(' to ').map(number)
      return {
        backend: row['backend'] ?? '',
        fault: row['fault'] ?? '',
        series: number(row['series']),
        measured: number(row['succeeded']),
        low,
        high,
        predicted: number(row['predicted']),
        causes: (row['down, late, busy'] ?? '').split(', ').map(number),
        because: row['if they disagree'] ?? '',
      }
    })
}

/** The calculation for one row of the report, as sentences: `redis none`. The fault may be cut short. */
export function workedChance(which: string): string {
  const [backend, fault = ''] = which.split(' ')
  const found = chances().find((each) => each.backend === backend && each.fault.startsWith(fault))
  if (!found) throw new Error(`the report has no chance of ${which}`)
  const { series, measured, low, high, predicted, causes, because } = found
  const [down = 0, late = 0, busy = 0] = causes
  const failed = (down + late + busy) / 100
  const reckoned = 100 * (1 - failed ** 3)
  // The shares are rounded in the report, each by itself.
  if (Math.abs(reckoned - predicted) > 0.5)
    throw new Error(`${which}: ${reckoned} % is not the ${predicted} % reported`)
  const where = found.fault === 'none' ? '' : `, with the fault “${found.fault}” under way`
  return [
    `- ${series} series on ${backend}${where}. Of the first tries ${down} % found it down, ${late} % were late, ${busy} % found it busy.`,
    `- 1 − _p_ = ${failed.toFixed(3)}, so three independent tries come to 1 − ${failed.toFixed(3)}³ = **${predicted.toFixed(1)} %**.`,
    `- Measured: **${measured.toFixed(1)} %**, and with 95 % confidence between ${low} % and ${high} %.`,
    `- ${agreement(found)}${because && ` The report says: “${because}”.`}`,
  ].join('\n')
}

function agreement({ low, high, predicted }: Chance): string {
  if (predicted < low) return 'That is better than predicted.'
  if (predicted > high) return 'That is worse than predicted.'
  return 'The prediction lies within.'
}
