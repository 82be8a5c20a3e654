/** A short campaign of each backend, from a seed: with faults for ever, and with faults that heal. */
import { subscribe } from 'node:diagnostics_channel'
import { only } from '@locks/core/conformance'
import { needServers } from '@locks/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runCampaign, type Campaign, type Mode } from '../src/campaign.ts'
import { makeClocks, type Clocks } from '../src/clock/shim.ts'
import { judge, type Judgement } from '../src/judge.ts'
import { backendOf, stores } from '../src/stores/index.ts'

const seed = 2_026
const ms = 6_000

const chosen = process.env.LOCKS_TEST_BACKENDS?.split(',')
const wanted = stores.filter((store) => chosen?.includes(backendOf(store)) ?? true)

let clocks: Clocks | undefined
subscribe('locks:warning', () => {})

beforeAll(async () => {
  // What makes clocks jump is compiled first.
  if (needServers(chosen)) clocks = await makeClocks()
  Object.assign(process.env, clocks?.servers.env)
})
afterAll(() => clocks?.end())

for (const store of wanted) {
  describe(`on ${store.name}`, () => {
    for (const mode of ['safety', 'liveness'] as const satisfies readonly Mode[]) {
      test(`keeps its promises under fire: ${mode}, seed ${seed}`, { timeout: 120_000 }, async () => {
        const campaign = await runCampaign({ store, mode, seed, ms, workers: 3, lanes: 2, clocks })
        const judgement = judge(campaign, mode, store)
        expect(findings(campaign, judgement)).toEqual([])
        expectSubstance(campaign, judgement)
        // In the midst of faults there may be none; after each that heals everybody takes one.
        if (mode === 'liveness') expect(setsGranted(campaign.ledger)).toBeGreaterThan(2)
      })
    }
  })
}

/** What was found, with the records that say so and all faults: there will be no such run again. */
function findings({ ledger }: Campaign, { verdicts }: Judgement): string[] {
  const found = verdicts.flatMap(({ checker, violations }) =>
    violations.flatMap(({ message, records }) => [
      `${checker}: ${message}`,
      ...ledger.records
        .filter((record) => 'id' in record && records.includes(record.id))
        .map((record) => JSON.stringify(record)),
    ]),
  )
  return found.length === 0 ? [] : [...found, ...ledger.faults.map((fault) => JSON.stringify(fault))]
}

/** That nothing was found says something only if there was something to look at. */
function expectSubstance({ ledger }: Campaign, { verdicts }: Judgement): void {
  const checked = (checker: string) => verdicts.find((each) => each.checker === checker)?.checked
  for (const checker of ['token order', 'fenced register', 'lost updates, token checked', 'overlap of holds']) {
    expect(checked(checker)).toBeGreaterThan(5)
  }
  expect(ledger.faults.length).toBeGreaterThan(1)
}

/** Of several names that one call asked for, the record is one each, of the same moment. */
function setsGranted({ records }: Campaign['ledger']): number {
  const granted = only(records, 'acquire').filter(({ outcome }) => outcome === 'ok')
  const calls = Map.groupBy(granted, ({ client, invoked }) => `${client} ${invoked}`)
  return [...calls.values()].filter((names) => names.length > 1).length
}
