import { readFileSync } from 'node:fs'
import type { Result, Row, Table } from '../result.ts'
import type { Spread } from '../spread.ts'
import { judge } from '../targets.ts'
import { verdictCells, verdictTitles } from './lines.ts'
import { about, facts, figure, peersThatWin, spread, workloadsOf } from './words.ts'

const style = readFileSync(new URL('./page/style.css', import.meta.url), 'utf8')

/** A page about one run that needs nothing else. */
export function html(result: Result): string {
  const { quick, machine, tables, subjects, versions, failures } = result
  const colours = coloursOf(tables)
  const verdicts = judge(tables, { bound: !quick })
  const judged = verdicts.filter(({ kept }) => kept !== undefined)
  const kept = judged.filter((verdict) => verdict.kept).length
  const title = quick ? 'Locks: a quick look' : 'Locks: what they cost'
  const used = workloadsOf(tables)
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>
${style}</style>
<header>
<h1>${title}</h1>
<p>${machine.date}, ${machine.minutes} minutes, ${machine.cores} cores of ${text(machine.processor)}, ${machine.memory}, ${text(machine.system)}.</p>
${quick ? '<p class="warning">A smoke test: sizes are far smaller than they are called, everything ran once and side by side. The figures mean nothing.</p>' : ''}
<p>A bar is the cost in units of the one whose bar is the line at 1, both taken in the same rounds: to the left is faster,
to the right is slower. The scale is logarithmic; the thin line goes from the tenth to the ninetieth percentile of the
rounds. Absolute times are those of this machine and promise nothing.</p>
</header>
<nav>${['<a href="#targets">Targets</a>', ...used.map((each) => `<a href="#${each}">${about[each].title}</a>`)].join('\n')}</nav>
${failures.length > 0 ? `<section><h2>Failed</h2><ul>${failures.map((each) => `<li>${text(each)}</li>`).join('')}</ul></section>` : ''}
<section id="targets">
<h2>Targets${quick ? ', which bind no quick run' : `: ${kept} of ${judged.length} kept`}</h2>
${tableOf(verdictTitles, verdictCells(verdicts), { mark: true })}
<h3>Where a peer wins</h3>
${tableOf(['peer', 'backend', 'at', 'ours, in its cost'], peersThatWin(tables))}
</section>
${used
  .map(
    (workload) => `<section id="${workload}">
<h2>${about[workload].title}</h2>
<p>${about[workload].text}</p>
<div class="charts">
${tables
  .filter((table) => table.workload === workload)
  .map((table) => figureOf(table, colours))
  .join('\n')}
</div>
</section>`,
  )
  .join('\n')}
<section>
<h2>How everybody is set up</h2>
${tableOf(
  ['backend', 'who', 'settings'],
  subjects.map(({ backend, name, settings }) => [backend, name, settings]),
)}
<h3>Versions</h3>
${tableOf(['what', 'version'], Object.entries(versions))}
</section>
</html>
`
}

/** Each subject has one colour, wherever it is. */
function coloursOf(tables: readonly Table[]): ReadonlyMap<string, string> {
  const rows = tables.flatMap((table) => table.rows)
  const peers = [...new Set(rows.filter(({ kind }) => kind === 'peer').map(({ subject }) => subject))]
  const others = rows.filter(({ kind }) => kind !== 'peer').map(({ subject, kind }) => [subject, kind] as const)
  return new Map([...others, ...peers.map((subject, at) => [subject, `peer-${at % colourCount}`] as const)])
}

const colourCount = 8

function figureOf(table: Table, colours: ReadonlyMap<string, string>): string {
  const { backend, case: name, base, unit, rows } = table
  const scale = scaleOf(rows)
  const bars = rows.map((row) => barOf(row, scale, colours.get(row.subject) ?? 'peer-0'))
  const cells = rows.map(({ subject, cost, ratio, facts: counted, cannot }) => [
    subject,
    cost ? `${figure(cost.median)} ${unit}` : '',
    spread(ratio),
    ratio ? String(ratio.rounds) : '',
    [facts(counted), cannot ?? ''].filter((each) => each !== '').join('; '),
  ])
  return `<figure>
<figcaption><b>${backend}</b> ${text(name)}<span>1 is ${text(base)}</span></figcaption>
<div class="plot" aria-hidden="true">
${bars.join('\n')}
</div>
<details><summary>as a table</summary>
${tableOf(['who', 'cost', 'ratio (p10 to p90)', 'rounds', 'notes'], cells)}
</details>
</figure>`
}

/** The place of a ratio from left to right, %. */
type Scale = (ratio: number) => number

function scaleOf(rows: readonly Row[]): Scale {
  const ends = rows.flatMap(({ ratio }) => (ratio ? [ratio.p10, ratio.p90, ratio.median] : [])).filter((end) => end > 0)
  // Never so narrow that noise looks like a difference.
  const low = Math.log(Math.min(0.5, ...ends))
  const high = Math.log(Math.max(2, ...ends))
  return (ratio) => Math.min(100, Math.max(0, (100 * (Math.log(ratio) - low)) / (high - low)))
}

function barOf({ subject, ratio, cannot }: Row, scale: Scale, colour: string): string {
  const name = `<span class="who">${text(subject)}</span>`
  if (!ratio) return `<div class="row none">${name}<span class="why">${text(cannot ?? 'not measured')}</span></div>`
  return `<div class="row">${name}<span class="track">${drawn(ratio, scale, colour)}</span><span class="value">${figure(ratio.median)}</span></div>`
}

function drawn({ median, p10, p90 }: Spread, scale: Scale, colour: string): string {
  const [one, at] = [scale(1), scale(median)]
  const span = (from: number, to: number) => `left:${from.toFixed(2)}%;width:${Math.max(0, to - from).toFixed(2)}%`
  const bar = `<i class="bar ${colour}" style="${span(Math.min(one, at), Math.max(one, at))}"></i>`
  const whisker = `<i class="whisker" style="${span(scale(p10), scale(p90))}"></i>`
  const dot = `<i class="dot ${colour}" style="left:${at.toFixed(2)}%"></i>`
  return `<i class="one" style="left:${one.toFixed(2)}%"></i>${bar}${whisker}${dot}`
}

function tableOf(titles: readonly string[], rows: readonly (readonly string[])[], { mark = false } = {}): string {
  if (rows.length === 0) return '<p>None.</p>'
  const kept = (cell: string) => `<td class="${cell === 'yes' ? 'good' : 'bad'}">${cell}</td>`
  const body = rows.map((cells) => {
    const all = cells.map((cell, at) => (mark && at === 0 ? kept(cell) : `<td>${text(cell)}</td>`))
    return `<tr>${all.join('')}</tr>`
  })
  const head = `<tr>${titles.map((title) => `<th scope="col">${text(title)}</th>`).join('')}</tr>`
  return `<div class="scroll"><table${mark ? ' class="marked"' : ''}><thead>${head}</thead><tbody>${body.join('\n')}</tbody></table></div>`
}

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
const text = (value: string): string => value.replace(/[&<>"]/g, (each) => escapes[each] ?? each)
