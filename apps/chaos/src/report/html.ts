import { readFileSync } from 'node:fs'
import { only, type Verdict } from '@locks/core/conformance'
import type { Campaign } from '../campaign.ts'
import type { Judgement } from '../judge.ts'
import type { Summary } from './summary.ts'
import { row } from './table.ts'

const part = (name: string): string => readFileSync(new URL(`./page/${name}`, import.meta.url), 'utf8')

/** A page about one run that needs nothing else: what was checked, and a timeline for each name. */
export function page(summary: Summary, campaign: Campaign, judgement: Judgement): string {
  const { backend, mode, seed, violations, replay } = summary
  const data = timelines(campaign, judgement.verdicts)
  const names = [...new Set(data.holds.map(({ name }) => name))].toSorted()
  const verdict = violations === 0 ? 'no violation' : violations === 1 ? '1 violation' : `${violations} violations`
  const title = `${backend}, ${mode}, seed ${seed}`
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}: ${verdict}</title>
<style>
${part('style.css')}</style>
<h1>${title}: <span class="verdict ${violations === 0 ? 'good' : 'bad'}">${verdict}</span></h1>
<p>${summary.seconds} s, ${summary.workers} processes, ttl ${summary.ttl} ms. Again: <code>${text(replay)}</code></p>
<div class="legend">
${['exclusive', 'shared', 'permit'].map((each) => `<span><i style="background:var(--${each})"></i>${each} hold</span>`).join('\n')}
<span><i style="background:var(--band)"></i>fault</span>
<span><i style="background:var(--violation)"></i>violation</span>
<span><i style="background:var(--excused)"></i>excused by a fault</span>
<span><button id="in">zoom in</button> <button id="out">out</button> <button id="all">all</button>
(or shift and wheel; drag to move)</span>
</div>
<canvas></canvas>
${names.map((name) => `<h2>${text(name)}</h2>\n<canvas data-name="${text(name)}"></canvas>`).join('\n')}
<h2>What was checked</h2>
${checks(summary, judgement, campaign.began)}
<h2>Faults</h2>
${tableOf([['fault', 'times'], ...Object.entries(summary.faults).map(([kind, count]) => [kind, String(count)])])}
<h2>The chance to get a lock within three tries</h2>
<p>One try fails with the shares of moments at which the store does not answer (down), answers too late, or somebody else
has the lock (busy). If tries were independent, three of them would succeed with the share that is predicted.</p>
${chances(summary)}
<h2>From one holder to the next</h2>
${handovers(summary)}
<h2>In one line</h2>
${tableOf([
  ['backend', 'mode', 'seed', 'seconds', 'operations', 'faults', 'excused', 'unchecked lost', 'violations'],
  row(summary),
])}
<div id="tip"></div>
<script type="application/json" id="data">${JSON.stringify(data).replaceAll('<', '\\u003c')}</script>
<script>
${part('timeline.js')}</script>
</html>`
}

/** What the page draws, in ms from the beginning. */
function timelines({ ledger, began, ended }: Campaign, verdicts: readonly Verdict[]) {
  const ms = (at: number) => Number((at - began).toFixed(2))
  return {
    length: ms(ended),
    holds: only(ledger.records, 'hold').map(({ name, client, mode, from, until, end, token }) => {
      return { name, client, mode, from: ms(from), until: ms(until), end, token }
    }),
    faults: ledger.faults.map(({ kind, target, from, until }) => {
      return { kind, target, from: ms(from), until: ms(until ?? ended) }
    }),
    findings: verdicts.flatMap(({ checker, violations, excused }) => [
      ...violations.map(({ name, message, at }) => ({ checker, name, message, at: ms(at) })),
      ...excused.map(({ name, message, at, by }) => ({ checker, name, message, at: ms(at), by })),
    ]),
  }
}

function checks({ checks: all }: Summary, { verdicts, unchecked }: Judgement, began: number): string {
  const rows = all.map(({ checker, checked, violations, excused }) => {
    const blamed = Object.entries(excused).map(([by, count]) => `${count} (${by})`)
    return [checker, String(checked), String(violations), blamed.join(', ')]
  })
  const lost = `${unchecked.violations.length + unchecked.excused.length} (no token checked: expected under faults)`
  const found = verdicts
    .flatMap(({ checker, violations }) => violations.map((each) => ({ checker, ...each })))
    .slice(0, 100)
    .map(({ checker, message, name = '', at }) => {
      const where = `<button data-at="${(at - began).toFixed(1)}">show</button>`
      return `<li>${where} ${text(checker)}: ${name === '' ? '' : `${text(name)}: `}${text(message)}</li>`
    })
  return `${tableOf([
    ['check', 'cases', 'violations', 'excused'],
    ...rows,
    ['lost updates, token not checked', String(unchecked.checked), '', lost],
  ])}<ul>${found.join('\n')}</ul>`
}

function chances({ chances: all }: Summary): string {
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`
  const rows = Object.entries(all).map(([kind, each]) => [
    kind,
    String(each.series),
    percent(each.succeeded / each.series),
    `${percent(each.low)} to ${percent(each.high)}`,
    percent(each.predicted),
    percent(each.down),
    percent(each.late),
    percent(each.busy),
    each.because,
  ])
  return tableOf([
    ['fault', 'series', 'succeeded', '95 % interval', 'predicted', 'down', 'late', 'busy', 'where they disagree'],
    ...rows,
  ])
}

function handovers({ handovers: { released, died } }: Summary): string {
  const bounds = Object.keys(released.upTo)
  const cells = (name: string, { count, median, p99, upTo }: typeof released) => [
    name,
    String(count),
    String(median ?? ''),
    String(p99 ?? ''),
    ...bounds.map((bound) => String(upTo[bound] ?? 0)),
  ]
  const titles = bounds.map((bound) => (bound === 'more' ? bound : `≤ ${bound}`))
  return tableOf([
    ['ms after the holder', 'cases', 'median', 'p99', ...titles],
    cells('released it', released),
    cells('died', died),
  ])
}

function tableOf([titles = [], ...rows]: readonly (readonly string[])[]): string {
  const worded = rows.length > 0 && titles.length < 9 ? ['excused'] : ['where they disagree']
  const kindOf = (at: number) => (worded.includes(titles[at] ?? '') ? 'words' : '')
  const cell = (value: string, at: number) => {
    const kind = kindOf(at)
    const bad = titles[at] === 'violations' && value !== '0' && value !== '' ? 'bad' : ''
    return `<td class="${kind}${bad}">${text(value)}</td>`
  }
  const head = `<tr>${titles.map((title, at) => `<th class="${kindOf(at)}">${text(title)}</th>`).join('')}</tr>`
  const body = rows.map((cells) => `<tr>${cells.map(cell).join('')}</tr>`).join('\n')
  return `<div class="scroll"><table>${head}${body}</table></div>`
}

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
const text = (value: string): string => value.replace(/[&<>"]/g, (each) => escapes[each] ?? each)
