/** A value on a scale, with what is around it. */
export interface Row {
  readonly label: string
  /** What it is one of: a line of its own before the first of each. */
  readonly group?: string
  readonly value?: string
  readonly dot?: number | undefined
  readonly interval?: readonly [from: number, to: number] | undefined
  readonly bar?: number | undefined
  /** Stands back behind the others. */
  readonly quiet?: boolean
  /** In place of a value. */
  readonly why?: string
}

/** The place of a value from left to right, %. */
export interface Scale {
  readonly at: (value: number) => number
  readonly ticks: readonly (readonly [value: number, label: string])[]
  /** The value that the others are compared with. */
  readonly one?: number
}

export function linear(from: number, to: number, steps: number, unit: string): Scale {
  const ticks = Array.from({ length: steps + 1 }, (_, step) => from + (step * (to - from)) / steps)
  return { at: within((value) => (value - from) / (to - from)), ticks: ticks.map((tick) => [tick, `${tick}${unit}`]) }
}

/** In powers of ten, or of two where that is too coarse. */
export function logarithmic(values: readonly number[]): Scale {
  const seen = values.filter((value) => value > 0)
  const [least, most] = [Math.min(...seen), Math.max(...seen)]
  const base = most / least > 40 ? 10 : 2
  const [low, high] = [Math.floor(log(least, base)), Math.max(1, Math.ceil(log(most, base)))]
  const powers = Array.from({ length: high - low + 1 }, (_, at) => base ** (low + at))
  return {
    at: within((value) => (value <= 0 ? 0 : (log(value, base) - low) / (high - low))),
    ticks: powers.map((power) => [power, figure(power)]),
  }
}

// Math.log(8) / Math.log(2) is a little more than 3.
const log = (value: number, base: 2 | 10) => (base === 2 ? Math.log2(value) : Math.log10(value))
const within = (share: (value: number) => number) => (value: number) => 100 * Math.min(1, Math.max(0, share(value)))

/**
 * A picture as HTML, whose letters keep their size on a phone, where those of a drawing would shrink. In one line: Markdown
 * ends a block of HTML at an empty one.
 */
export function plot(title: string, key: string, scale: Scale, rows: readonly Row[]): string {
  const place = (value: number) => `left:${scale.at(value).toFixed(2)}%`
  const lines = scale.ticks.map(
    ([tick]) => `<i class="${tick === scale.one ? 'one' : 'grid'}" style="${place(tick)}"></i>`,
  )
  const ticks = scale.ticks.map(([tick, label]) => `<span style="${place(tick)}">${label}</span>`)
  const body = rows.flatMap((row, at) => [
    ...(row.group !== undefined && row.group !== rows[at - 1]?.group
      ? [`<div class="group"><b>${escaped(row.group)}</b></div>`]
      : []),
    rowOf(row, scale, place),
  ])
  const head = `<figcaption><b>${escaped(title)}</b><span>${escaped(key)}</span></figcaption>`
  const plotted = `<div class="lines">${lines.join('')}</div>${body.join('')}<div class="ticks">${ticks.join('')}</div>`
  const longest = Math.max(...rows.map(({ value = '' }) => value.length))
  return `<figure class="chart" style="--value:${longest + 1}ch">${head}<div class="plot">${plotted}</div></figure>`
}

function rowOf(row: Row, scale: Scale, place: (value: number) => string): string {
  const { label, value, dot, interval, bar, quiet, why } = row
  const who = `<span class="who">${escaped(label)}</span>`
  if (why !== undefined) return `<div class="row none">${who}<span class="why">${escaped(why)}</span></div>`
  const [from, to] = interval ?? [0, 0]
  const wide = `width:${(scale.at(to) - scale.at(from)).toFixed(2)}%`
  const marks = [
    interval ? `<i class="interval" style="${place(from)};${wide}"></i>` : '',
    bar === undefined ? '' : `<i class="bar" style="${place(bar)}"></i>`,
    dot === undefined ? '' : `<i class="dot" style="${place(dot)}"></i>`,
  ]
  const track = `<span class="track">${marks.join('')}</span>`
  return `<div class="row${quiet ? ' quiet' : ''}">${who}${track}<span class="value">${escaped(value ?? '')}</span></div>`
}

/** Three digits. */
export function figure(value: number): string {
  if (value >= 1_000) return Math.round(value).toLocaleString('en')
  return String(Number(value.toPrecision(value < 1 ? 2 : 3)))
}

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '{': '&#123;' }
const escaped = (text: string): string => text.replace(/[&<>{]/g, (each) => escapes[each] ?? each)
