import { chances } from './chances.ts'
import { read } from './files.ts'
import { number, rowsOf } from './tables.ts'

/** Pictures of the tables in the reports, drawn each time that the site is built. */
export const charts: Readonly<Record<string, () => string>> = {
  chances: () => {
    const rows = chances().filter(({ fault }) => fault === 'none')
    return intervals(
      'Within three tries, at moments without a fault under way',
      rows.map(({ backend, measured, low, high, predicted }) => ({ label: backend, measured, low, high, predicted })),
    )
  },
  'chances-faults': () => {
    const rows = chances().filter(({ backend, fault }) => backend === 'redis' && fault !== 'none')
    return intervals(
      'Redis, within three tries, by the fault that was under way',
      rows.map(({ fault, measured, low, high, predicted }) => ({ label: fault, measured, low, high, predicted })),
    )
  },
  handovers: () => {
    const rows = rowsOf(read('docs/chaos.md'), 'after', 'median, ms', 'p99', 'most')
    const released = rows.filter(({ mode, after }) => mode === 'safety' && after === 'a release')
    return ranges(
      'From a release to the next holder under faults, ms: median to 99th percentile',
      released.map((row) => ({ label: row['backend'] ?? '', from: number(row['median, ms']), to: number(row['p99']) })),
    )
  },
}

interface Interval {
  readonly label: string
  readonly measured: number
  readonly low: number
  readonly high: number
  readonly predicted: number
}

const width = 760
const left = 190
const rowHeight = 24

/** Measured values with their intervals, and the predictions beside them, on a scale of percent. */
function intervals(title: string, rows: readonly Interval[]): string {
  const least = Math.min(...rows.flatMap(({ low, predicted }) => [low, predicted]))
  const from = Math.min(80, Math.floor(least / 20) * 20)
  const x = (percent: number) => left + ((percent - from) / (100 - from)) * (width - left - 20)
  const ticks = [0, 1, 2, 3, 4, 5].map((fifth) => from + (fifth * (100 - from)) / 5)
  const marks = rows.map(({ low, high, measured, predicted }, at) => {
    const y = yOf(at)
    return [
      `<line class="interval" x1="${x(low)}" x2="${x(high)}" y1="${y}" y2="${y}"/>`,
      `<circle class="measured" cx="${x(measured)}" cy="${y}" r="4"/>`,
      `<path class="predicted" d="M${x(predicted)} ${y - 6}v12"/>`,
    ].join('')
  })
  const key = '● measured, with its 95 % interval; | predicted for independent tries'
  return picture(title, key, rows, [...scale(ticks, x, '%', rows.length), ...marks])
}

/** From one value to a larger one, on a scale of powers of ten. */
function ranges(title: string, rows: readonly { label: string; from: number; to: number }[]): string {
  const most = Math.ceil(Math.log10(Math.max(...rows.map(({ to }) => to))))
  const x = (value: number) => left + (Math.max(0, Math.log10(Math.max(1, value))) / most) * (width - left - 20)
  const marks = rows.map(({ from, to }, at) => {
    const y = yOf(at)
    const line = `<line class="interval" x1="${x(from)}" x2="${x(to)}" y1="${y}" y2="${y}"/>`
    return `${line}<circle class="measured" cx="${x(from)}" cy="${y}" r="4"/><path class="predicted" d="M${x(to)} ${y - 6}v12"/>`
  })
  const powers = Array.from({ length: most + 1 }, (_, power) => 10 ** power)
  return picture(title, '● median, | 99th percentile', rows, [...scale(powers, x, '', rows.length), ...marks])
}

const yOf = (row: number) => 56 + row * rowHeight

function scale(values: readonly number[], x: (value: number) => number, unit: string, rows: number): string[] {
  return values.map(
    (value) =>
      `<path class="grid" d="M${x(value)} 40V${yOf(rows) - 8}"/><text x="${x(value)}" y="${yOf(rows) + 8}" text-anchor="middle">${value}${unit && ` ${unit}`}</text>`,
  )
}

/** In one line: Markdown ends a block of HTML at an empty one. */
function picture(title: string, key: string, rows: readonly { label: string }[], marks: readonly string[]): string {
  const labels = rows.map(
    ({ label }, at) => `<text x="${left - 12}" y="${yOf(at) + 4}" text-anchor="end">${label}</text>`,
  )
  const head = `<text class="title" x="0" y="16">${title}</text><text x="0" y="34">${key}</text>`
  const size = `viewBox="0 0 ${width} ${yOf(rows.length) + 16}"`
  return `<div class="chart"><svg ${size} role="img" aria-label="${title}">${head}${labels.join('')}${marks.join('')}</svg></div>`
}
