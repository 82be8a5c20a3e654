/** The campaign can do harm: without the token checked, what was confirmed is lost, and with it nothing is. */
import { subscribe } from 'node:diagnostics_channel'
import { expect, test } from 'vitest'
import { runCampaign } from '../src/campaign.ts'
import { judge } from '../src/judge.ts'
import { sqlite } from '../src/stores/sqlite.ts'

subscribe('locks:warning', () => {})

test('holders that are stopped lose updates where nobody looks at the token', { timeout: 120_000 }, async () => {
  const options = { store: sqlite, mode: 'safety', seed: 1, ms: 15_000, workers: 3, lanes: 2 } as const
  const campaign = await runCampaign({ ...options, only: ['holder stopped'] })
  const { unchecked, violations } = judge(campaign, 'safety', sqlite)
  expect(campaign.ledger.faults.length).toBeGreaterThan(2)
  expect(unchecked.violations.length).toBeGreaterThan(0)
  expect(violations).toBe(0)
})
