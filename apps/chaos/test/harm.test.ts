/** The campaign can do harm: without the token checked, what was confirmed is lost; and others' locks show what they do. */
import { subscribe } from 'node:diagnostics_channel'
import { refusals } from '@locks/core/conformance'
import { startProxy, startRedis } from '@locks/testkit'
import { expect, onTestFinished, test } from 'vitest'
import { runCampaign } from '../src/campaign.ts'
import { judge } from '../src/judge.ts'
import { Ledger } from '../src/ledger.ts'
import { namespace } from '../src/names.ts'
import { Resources } from '../src/resources.ts'
import { sqlite } from '../src/stores/sqlite.ts'
import type { Store } from '../src/stores/store.ts'
import { open } from '../src/work/open.ts'
import { Worker } from '../src/work/worker.ts'

const ttl = 1_500
const module = new URL('./plain-redis.ts', import.meta.url).href

subscribe('locks:warning', () => {})

test('holders that are stopped lose updates where nobody looks at the token', { timeout: 120_000 }, async () => {
  const options = { store: sqlite, mode: 'safety', seed: 1, ms: 15_000, workers: 3, lanes: 2 } as const
  const campaign = await runCampaign({ ...options, only: ['holder stopped'] })
  const { unchecked, violations } = judge(campaign, 'safety', sqlite)
  expect(campaign.ledger.faults.length).toBeGreaterThan(2)
  expect(unchecked.violations.length).toBeGreaterThan(0)
  expect(violations).toBe(0)
})

/** As many make it with Redis. */
const plain: Store = {
  name: 'plain redis',
  ttl,
  async start() {
    const server = await startRedis()
    const through = ([port = 0]: readonly number[]) => ({ url: `plain://127.0.0.1:${port}`, module })
    return {
      way: through([server.port]),
      network: { ports: [server.port], framing: 'resp', through },
      faults: [],
      left: () => Promise.resolve([]),
      end: () => server.end(),
    }
  },
}

// Where Redis is not tested, it may not be there.
const isTested = process.env.LOCKS_TEST_BACKENDS?.split(',').includes('redis') ?? true

test.for(isTested ? [plain] : [])(
  'a lock of $name has no token that would keep the same from happening',
  { timeout: 60_000 },
  async (store) => {
    const options = { store, mode: 'safety', seed: 3, ms: 12_000, workers: 3, lanes: 2 } as const
    const { unchecked } = judge(await runCampaign({ ...options, only: ['holder stopped'] }), 'safety', store)
    expect(unchecked.violations.length).toBeGreaterThan(0)
  },
)

const resent = [
  { who: 'plain redis', scheme: 'plain', waits: ['client had to wait, and nobody else had it or asked for it'] },
  { who: '@locks/redis', scheme: 'redis', waits: [] },
]

test.for(isTested ? resent : [])(
  'a request that a driver sends again, and what $who makes of it',
  async ({ scheme, waits }) => {
    const server = await startRedis()
    onTestFinished(() => server.end())
    const proxy = await startProxy()
    onTestFinished(() => proxy.end())
    const line = await proxy.line({ upstreams: [{ host: '127.0.0.1', port: server.port }], framing: 'resp' })
    const ledger = new Ledger()
    const resources = new Resources(ledger)
    const way = { url: `${scheme}://127.0.0.1:${line.ports[0]}`, ...(scheme === 'plain' && { module }) }
    const worker = new Worker(
      { client: 'client', number: 1, seed: 1, ttl, lanes: 1, handover: false },
      {
        began: (call) => ledger.call(call),
        ended: (call) => ledger.call(call),
        holds: (hold) => ledger.hold(hold),
        saw: (sighting) => ledger.add(sighting),
        observed: (sighting) => ledger.add(sighting),
        tried: (series) => ledger.series.push(series),
        access: (wish) => Promise.resolve(resources.access('client', wish)),
        broke: (why) => ledger.broken.push({ client: 'client', why, at: 0 }),
      },
      () => open(way, { ttl, namespace, owner: 'client', connectTimeout: 5_000 }),
    )
    // Once without a fault, so that it is connected, and the server knows what it sends.
    await worker.probe(ttl)
    const before = await line.wire.sent()
    await line.wire.dropAnswers()
    const probed = worker.probe(4 * ttl)
    await expect.poll(() => line.wire.sent(), { timeout: 10_000 }).toBeGreaterThan(before)
    // The server answers in the order in which it is asked.
    await server.cli('PING')
    await line.wire.heal()
    await probed
    await worker.close()
    const verdict = refusals(ledger.records, { grace: ttl, sessions: false })
    expect(verdict.violations.map(({ message }) => message)).toEqual(waits)
    expect(ledger.broken).toEqual([])
  },
)
