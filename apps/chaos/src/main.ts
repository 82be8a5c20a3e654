/** What `pnpm chaos` starts: arguments in, exit code out, and nothing left behind but its reports. */
import { subscribe } from 'node:diagnostics_channel'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { preflight } from '@locks/testkit'
import { runCampaign, type CampaignOptions } from './campaign.ts'
import { makeClocks } from './clock/shim.ts'
import { judge } from './judge.ts'
import { page } from './report/html.ts'
import { summarize, type Summary } from './report/summary.ts'
import { complaints, table } from './report/table.ts'
import { backendOf } from './stores/index.ts'
import { parse, usage, UsageError, type Wanted } from './usage.ts'

subscribe('locks:warning', () => {})

const say = (line: string) => console.log(line)

try {
  const wanted = parse(process.argv.slice(2))
  if (wanted.help) say(usage)
  else process.exitCode = await runAll(wanted)
} catch (error) {
  console.error(error instanceof UsageError ? `${error.message}\n\n${usage}` : error)
  process.exitCode = 2
}

/** The exit code; a run that fails does not keep the others from theirs. */
async function runAll({ stores, modes, ms, seed, workers, only, out }: Wanted): Promise<number> {
  const missing = preflight(stores.map(backendOf))
  if (missing) throw new Error(missing)
  const clocks = await makeClocks()
  // Of all servers that are started from here.
  Object.assign(process.env, clocks.servers.env)
  const summaries: Summary[] = []
  const failed: string[] = []
  try {
    for (const store of stores) {
      for (const mode of modes) {
        const run = `${store.name}, ${mode}, seed ${seed}`
        say(`${run}, ${Math.round(ms / 1_000)} s`)
        try {
          summaries.push(await runOne({ store, mode, seed, ms, workers, lanes: 2, clocks, only, say }, out))
        } catch (error) {
          console.error(error)
          failed.push(run)
        }
      }
    }
  } finally {
    clocks.end()
  }
  write(out, { 'summary.json': JSON.stringify(summaries, null, 2) })
  say(`\n${table(summaries)}`)
  for (const line of summaries.flatMap(complaints)) say(line)
  for (const run of failed) say(`${run}: could not run to its end`)
  if (failed.length > 0) return 2
  return summaries.some(({ violations }) => violations > 0) ? 1 : 0
}

async function runOne(options: CampaignOptions, out: string): Promise<Summary> {
  const { store, mode, seed } = options
  const campaign = await runCampaign(options)
  const judgement = judge(campaign, mode, store)
  const summary = summarize(options, campaign, judgement)
  const folder = join(out, `${store.name}-${mode}-${seed}`)
  write(folder, {
    'summary.json': JSON.stringify(summary, null, 2),
    'history.jsonl': campaign.ledger.records.map((each) => JSON.stringify(each)).join('\n'),
    'report.html': page(summary, campaign, judgement),
  })
  if (summary.violations > 0) say(`  see ${join(folder, 'report.html')}`)
  return summary
}

function write(folder: string, files: Readonly<Record<string, string>>): void {
  mkdirSync(folder, { recursive: true })
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), `${text}\n`)
}
