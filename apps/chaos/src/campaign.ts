import { setTimeout as sleep } from 'node:timers/promises'
import type { Capabilities, LockManager } from '@locks/core'
import type { Leftover } from '@locks/core/conformance'
import { startProxy } from '@locks/testkit'
import type { Clocks } from './clock/shim.ts'
import { Crew } from './crew/crew.ts'
import type { Post } from './crew/member.ts'
import { Ledger } from './ledger.ts'
import { all as names, namespace, semaphore } from './names.ts'
import { processFaults, stall } from './nemesis/clients.ts'
import type { Fault } from './nemesis/fault.ts'
import { lineFaults } from './nemesis/lines.ts'
import { Nemesis } from './nemesis/nemesis.ts'
import { now } from './now.ts'
import { Resources } from './resources.ts'
import type { Deployment, Store } from './stores/store.ts'
import { connect, type Ways } from './ways.ts'
import { open } from './work/open.ts'
import { patience } from './work/prober.ts'

/** `safety`: faults for ever. `liveness`: a fault, it heals, and everything has to go on; over and over. */
export type Mode = 'safety' | 'liveness'

export interface CampaignOptions {
  readonly store: Store
  readonly mode: Mode
  readonly seed: number
  readonly ms: number
  readonly workers: number
  /** How many things each of them does at a time. */
  readonly lanes: number
  /** Where there are none, nobody's clock jumps. */
  readonly clocks?: Clocks | undefined
  /** Only faults of these kinds. */
  readonly only?: readonly string[] | undefined
  say?(line: string): void
}

export interface Campaign {
  readonly ledger: Ledger
  readonly capabilities: Capabilities
  readonly left: readonly Leftover[]
  readonly began: number
  readonly ended: number
}

/** Everything that was started, in the order in which it ends. */
type Ends = (() => Promise<unknown>)[]

export async function runCampaign(options: CampaignOptions): Promise<Campaign> {
  const ends: Ends = []
  try {
    return await run(options, ends)
  } finally {
    for (const end of ends.toReversed()) await end()
  }
}

async function run(options: CampaignOptions, ends: Ends): Promise<Campaign> {
  const { store, mode, seed, ms, workers, lanes, clocks } = options
  const deployment = await store.start(clocks?.servers)
  ends.push(() => deployment.end())
  const proxy = deployment.network && (await startProxy())
  if (proxy) ends.push(() => proxy.end())

  const posts = Array.from({ length: workers + 1 }, (_, place): Post => {
    return { place, role: place === workers ? 'prober' : 'worker' }
  })
  const ways = await connect(deployment, posts, proxy)
  const capabilities = await capabilitiesOf(deployment, ways, store.ttl)
  const ledger = new Ledger()
  const resources = new Resources(ledger)
  const { ttl } = store
  const { local } = ways
  const crew = new Crew({
    posts,
    seed,
    ttl,
    lanes,
    ledger,
    resources,
    wayOf: (place) => ways.of(place),
    termsOf: ({ role }, owner) => ({
      ttl,
      namespace,
      owner,
      connectTimeout: role === 'prober' ? patience : 5_000,
    }),
    env: clocks?.clients.env ?? {},
    host: deployment.host,
    ...(local && { local }),
  })
  ends.push(() => crew.dismiss(0))
  const field = { crew, ledger, ttl, lines: ways.lines }
  const wanted = ({ kind }: Fault) => options.only?.includes(kind) ?? true
  const faults = {
    clients: [...(local ? [] : processFaults(clocks?.clients)), stall].filter(wanted),
    store: [...storeFaults(deployment)].filter(wanted),
  }
  const nemeses = [new Nemesis(faults.clients, field, seed, 0), new Nemesis(faults.store, field, seed, 1)]
  /** Within which everything ends that nothing disturbs. */
  const bound = 3 * ttl + capabilities.takeover + 10_000

  await crew.ready(60_000)
  const began = now()
  crew.go()
  if (mode === 'safety') {
    await Promise.all(nemeses.map((nemesis) => nemesis.rage(began + ms)))
    await crew.settle(bound)
  } else {
    // Each sort also by itself, so that nothing else disturbs what comes of it.
    const turns = [nemeses, nemeses.slice(0, 1), nemeses.slice(1)]
    for (let round = 0; now() - began < ms; round++) {
      const striking = turns[round % turns.length] ?? []
      await Promise.all(striking.map((nemesis) => nemesis.strike()))
      const at = now()
      const late = await crew.settle(bound)
      if (late.length === 0) await crew.probe(bound / 2, bound)
      ledger.add({ action: 'heal', at, until: now(), deadline: at + bound })
      options.say?.(`${store.name}: healed and served after ${Math.round(now() - at)} ms`)
      crew.go()
    }
    await crew.settle(bound)
  }
  await crew.dismiss(bound)
  // Nobody writes any more.
  for (const final of resources.finals()) ledger.add(final)
  const clients = [...crew.left].map(([where, what]): Leftover => ({ where, what }))
  await comeBy(deployment, ways, ttl, bound)
  const left = [...clients, { where: store.name, what: await gone(deployment, 2 * ttl + 5_000) }]
  return { ledger, capabilities, left, began, ended: now() }
}

function storeFaults({ faults, network }: Deployment): Fault[] {
  if (!network) return [...faults]
  // Of each two, one on the way: there are more kinds of those.
  const { connectionIsLock: breaks = false, apart = false } = network
  return [...faults, ...lineFaults({ network: true, breaks, apart })]
}

/** For the campaign itself, by a way without faults. */
const opened = (deployment: Deployment, ways: Ways, ttl: number): Promise<LockManager> =>
  open(deployment.aside ?? deployment.way, { ttl, namespace, owner: 'campaign', connectTimeout: 5_000 }, ways.adapters)

async function capabilitiesOf(deployment: Deployment, ways: Ways, ttl: number): Promise<Capabilities> {
  const locks = await opened(deployment, ways, ttl)
  await locks.close()
  return locks.capabilities
}

/** Some stores clear away what has expired when the next one comes by. */
async function comeBy(deployment: Deployment, ways: Ways, ttl: number, within: number): Promise<void> {
  const locks = await opened(deployment, ways, ttl)
  const { name: pool, permits } = semaphore
  for (const name of names) {
    if (name === pool && !locks.capabilities.semaphore) continue
    const kind = name === pool ? { permits, weight: permits } : {}
    const lock = await locks.acquire(name, { ...kind, timeout: within })
    await lock.release()
  }
  await locks.close()
}

/** What is still there. */
async function gone(deployment: Deployment, within: number): Promise<readonly string[]> {
  const end = now() + within
  for (;;) {
    const left = await deployment.left()
    if (left.length === 0 || now() > end) return left
    await sleep(100)
  }
}
