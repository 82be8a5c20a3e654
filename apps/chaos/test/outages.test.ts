/** What is granted without a majority is found out. */
import { subscribe } from 'node:diagnostics_channel'
import { expect, test } from 'vitest'
import { runCampaign } from '../src/campaign.ts'
import { judge } from '../src/judge.ts'
import { grantedInOutages } from '../src/outages.ts'
import type { Acquire } from '../src/records.ts'
import { quorum } from '../src/stores/quorum.ts'
import type { Store } from '../src/stores/store.ts'

subscribe('locks:warning', () => {})

const acquire = (
  id: number,
  invoked: number,
  completed: number | null,
  outcome: Acquire['outcome'] = 'ok',
): Acquire => {
  const client = `client ${id}`
  return { id, action: 'acquire', client, name: 'a', mode: 'exclusive', wait: true, invoked, completed, outcome }
}

test('a grant that was asked for and given in an outage is one too many', () => {
  const history = [
    acquire(1, 5, 15),
    acquire(2, 12, 25),
    acquire(3, 12, 18, 'failed'),
    acquire(4, 12, null, 'unknown'),
    acquire(5, 12, 18),
    acquire(6, 22, 25),
  ]
  const { checked, violations } = grantedInOutages(history, [{ kind: 'majority stopped', from: 10, until: 20 }])
  expect(checked).toBe(4)
  expect(violations.map(({ records }) => records)).toEqual([[5]])
})

test('but for one that is handed what its manager had', () => {
  const held = { ...acquire(1, 5, 8), token: '64' }
  const handed = { ...acquire(2, 12, 18), client: 'client 1', inLine: true, token: '65' }
  const judged = (...history: Acquire[]) =>
    grantedInOutages(history, [{ kind: 'majority stopped', from: 10, until: 20 }]).violations.length
  expect(judged(held, handed)).toBe(0)
  expect(judged(held, { ...handed, token: '128' })).toBe(1)
  expect(judged(held, { ...handed, client: 'client 2' })).toBe(1)
})

// Where Redis is not tested, it may not be there.
const isTested = process.env.LOCKS_TEST_BACKENDS?.split(',').includes('redis') ?? true

const module = new URL('./any-redis.ts', import.meta.url).href

/** The same servers, faults and lines, and clients that are content with one server. */
const any: Store = {
  ...quorum,
  async start(servers) {
    const deployment = await quorum.start(servers)
    const { network } = deployment
    if (!network) throw new Error('a quorum without servers')
    const through = (ports: readonly number[]) => ({ url: `any:${ports.join()}`, module })
    return { ...deployment, network: { ...network, through } }
  },
}

test.for(isTested ? [any] : [])(
  'clients that are content with any one server are found out',
  { timeout: 60_000 },
  async (store) => {
    const only = ['majority stopped']
    const options = { store, mode: 'safety', seed: 4, ms: 10_000, workers: 3, lanes: 2, only } as const
    const { verdicts } = judge(await runCampaign(options), 'safety', store)
    const objecting = verdicts.filter(({ violations }) => violations.length > 0).map(({ checker }) => checker)
    expect(objecting).toEqual(expect.arrayContaining(['overlap of holds', 'granted in an outage']))
  },
)
