import {
  encodeName,
  systemClock,
  systemRandom,
  type Contender,
  type Grant,
  type Loss,
  type Request,
  type Session,
} from '@locks/core/backend'
import { etcd } from '@locks/etcd'
import { startEtcd } from '@locks/testkit'
import { chance, cleanup } from '@locks/testkit/fixtures'
import { afterAll, expect, test } from 'vitest'

const server = await startEtcd()
const backend = etcd({ url: server.url })
afterAll(() => server.end())

const sessions = 4
const callersEach = 3
const callsEach = 20

/** One grant, for as long as its holder surely had it: from when it knew until it let go. */
interface Held {
  readonly request: Request
  readonly asked: number
  readonly token: bigint
  readonly from: number
  until: number
}

interface Client {
  readonly session: Session
  /** By id: what is to be called when it is granted, or lost. */
  readonly told: Map<string, (news: Grant | Loss) => void>
}

async function connect(): Promise<Client> {
  const told: Client['told'] = new Map()
  const events = {
    granted: (grant: Grant) => told.get(grant.id)?.(grant),
    lost: (id: string, how: Loss) => told.get(id)?.(how),
  }
  const identity = { namespace: 'races', clientId: systemRandom.id(), owner: 'tester', ttl: 20_000 }
  const session = await backend.open({
    ...identity,
    clock: systemClock,
    random: systemRandom,
    events,
  })
  cleanup(() => session.close())
  return { session, told }
}

const now = () => performance.now()
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** Asks, waits for a while at most, holds for a moment, lets go. */
async function call(
  { session, told }: Client,
  request: Request,
  patience: number,
  hold: number,
): Promise<Held | undefined> {
  const asked = now()
  let held: Held | undefined
  let wake = () => {}
  const settled = new Promise<void>((resolve) => (wake = resolve))
  const hear = (news: Grant | Loss) => {
    if (typeof news === 'string') {
      if (held) held.until = Math.min(held.until, now())
    } else {
      held ??= { request, asked, token: news.tokens[0] ?? 0n, from: now(), until: Number.POSITIVE_INFINITY }
    }
    wake()
  }
  told.set(request.id, hear)
  const answer = await session.acquire(request).catch(() => null)
  if (typeof answer === 'object' && answer) hear(answer)
  if (answer === 'queued') await Promise.race([settled, pause(patience)])
  if (held) await pause(hold)
  told.delete(request.id)
  if (held) held.until = Math.min(held.until, now())
  await session.remove(request)
  return held
}

async function run(seed: number, name: string, contender: (unit: () => number) => Contender & { steal: boolean }) {
  const unit = chance(seed)
  const clients = await Promise.all(Array.from({ length: sessions }, connect))
  const all: Held[] = []
  const loop = async (client: Client) => {
    for (let calls = 0; calls < callsEach; calls++) {
      const wanted = contender(unit)
      const request = {
        id: systemRandom.id(),
        names: [encodeName(name)],
        wait: wanted.steal || unit() < 0.8,
        ...wanted,
      }
      const patience = unit() < 0.3 ? unit() * 50 : 5_000
      const held = await call(client, request, patience, unit() * 4)
      if (held) all.push(held)
    }
  }
  await Promise.all(clients.flatMap((client) => Array.from({ length: callersEach }, () => loop(client))))
  expect(await clients[0]?.session.query(encodeName(name))).toEqual([])
  expect(all.length).toBeGreaterThan(50)
  return all.toSorted((a, b) => Number(a.token - b.token))
}

const overlap = (a: Held, b: Held) => a.from < b.until && b.from < a.until
const excludes = (a: Held, b: Held) => a.request.mode === 'exclusive' || b.request.mode === 'exclusive'

test.each([1, 2, 3])(
  'readers, writers and thieves of several sessions never hold against each other (seed %i)',
  async (seed) => {
    const all = await run(seed, `lock ${seed}`, (unit) => {
      const mode = unit() < 0.5 ? 'shared' : 'exclusive'
      return { mode, steal: mode === 'exclusive' && unit() < 0.1 }
    })
    const robbed = (low: Held, high: Held) =>
      all.some(({ request, token }) => request.steal && low.token < token && token <= high.token)
    for (const [at, low] of all.entries()) {
      for (const high of all.slice(at + 1)) {
        expect(low.token).not.toBe(high.token)
        if (overlap(low, high) && excludes(low, high)) expect(robbed(low, high)).toBe(true)
        // Whoever asked when another knew of its grant already has the higher token.
        expect(high.from < low.asked).toBe(false)
      }
    }
  },
)

test('permits never exceed the limit, whatever their weights', async () => {
  const permits = 5
  const all = await run(4, 'semaphore', (unit) => ({
    mode: 'permit',
    permits,
    weight: 1 + Math.floor(unit() * 3),
    steal: false,
  }))
  for (const { from } of all) {
    const beside = all.filter((each) => each.from <= from && from < each.until)
    expect(beside.reduce((sum, { request }) => sum + (request.weight ?? 1), 0)).toBeLessThanOrEqual(permits)
  }
})
