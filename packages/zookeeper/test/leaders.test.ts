import { startEnsemble, type ZookeeperServer } from '@locks/testkit'
import { afterAll, expect, test } from 'vitest'
import { ending, nothing, open, queued, unhandled, until, urlOf } from './fixtures.ts'

// A follower gives up a leader of whom it has heard nothing for 2 s, and a leader its followers.
const ensemble = await startEnsemble({ syncLimit: 10 })
afterAll(() => ensemble.end())

const url = urlOf(...ensemble.servers.map(({ port }) => port))

interface Fault {
  readonly begin: (leader: ZookeeperServer) => Promise<void>
  readonly end: (leader: ZookeeperServer) => Promise<void>
}

const faults: Record<string, Fault> = {
  'is killed': { begin: (leader) => leader.kill(), end: (leader) => leader.start() },
  'is stopped': { begin: (leader) => leader.stop(), end: (leader) => leader.continue() },
  'is cut off': { begin: (leader) => ensemble.cutOff(leader), end: () => ensemble.heal() },
}

test.for(Object.entries(faults))('a leader that %s costs no lock, no token and no place', async ([, fault]) => {
  const ttl = 8_000
  const seen = unhandled()
  const [holder, first, second] = [await open(url, { ttl }), await open(url, { ttl }), await open(url, { ttl })]
  const held = await Promise.all(Array.from({ length: 20 }, (_, at) => holder.acquire(`kept ${at}`)))
  const lock = await holder.acquire('waited for')
  const order: string[] = []
  const waiting = [first.acquire('waited for').then((granted) => (order.push('first'), granted))]
  await queued(holder, 'waited for', 1)
  waiting.push(second.acquire('waited for').then((granted) => (order.push('second'), granted)))
  await queued(holder, 'waited for', 2)

  const leader = await ensemble.leader()
  const since = performance.now()
  await fault.begin(leader)
  const end = ending(() => fault.end(leader))
  const elected = ensemble.elected(leader).then(() => performance.now() - since)
  const took = await until('a later proof has come', () => lock.expiresAt > since + ttl)
  console.log(`another leads after ${(await elected).toFixed()} ms, a later proof after ${took.toFixed()} ms`)
  expect([lock, ...held].every((each) => each.held)).toBe(true)

  const tokens = [lock.token]
  await expect(lock.release()).resolves.toBe('released')
  for (const each of waiting) {
    const granted = await each
    expect(granted.held).toBe(true)
    tokens.push(granted.token)
    await expect(granted.release()).resolves.toBe('released')
  }
  expect(order).toEqual(['first', 'second'])
  const last = await holder.acquire('waited for')
  tokens.push(last.token)
  expect(tokens).toEqual(tokens.toSorted((a, b) => Number(a - b)))
  expect(new Set(tokens).size).toBe(tokens.length)
  for (const each of [last, ...held]) await expect(each.release()).resolves.toBe('released')

  await end()
  await ensemble.ready()
  await Promise.all([holder, first, second].map((locks) => locks.close()))
  await until('nothing is left', async () => {
    const counts = await Promise.all(ensemble.servers.map((server) => server.counts()))
    return counts.every(({ sessions, ephemerals }) => sessions === 0 && ephemerals === 0)
  })
  expect(seen).toEqual(nothing)
})

test('a holder that only reaches a leader without followers knows before its rival is granted', async () => {
  const ttl = 1_500
  const seen = unhandled()
  const leader = await ensemble.leader()
  const followers = await ensemble.followers()
  const holder = await open(urlOf(leader.port), { ttl })
  const rival = await open(urlOf(...followers.map(({ port }) => port)), { ttl })
  const lock = await holder.acquire('a')
  const waiting = rival.acquire('a')
  await queued(holder, 'a', 1)
  await ensemble.cutOff(leader)
  const heal = ending(() => ensemble.heal())
  const cut = performance.now()
  const next = await waiting
  const granted = performance.now()
  expect(lock.held).toBe(false)
  expect(lock.expiresAt).toBeLessThan(granted)
  expect(next.token).toBeGreaterThan(lock.token)
  console.log(
    `cut off at 0 ms, not held from ${(lock.expiresAt - cut).toFixed()} ms on,` +
      ` rival granted at ${(granted - cut).toFixed()} ms`,
  )
  await heal()
  await ensemble.ready()
  await expect(next.release()).resolves.toBe('released')
  await (await holder.acquire('a', { timeout: 10_000 })).release()
  await Promise.all([holder.close(), rival.close()])
  expect(seen).toEqual(nothing)
})

test('all three killed and started again within the ttl cost no lock', async () => {
  const ttl = 20_000
  const [holder, waiter] = [await open(url, { ttl }), await open(url, { ttl })]
  const lock = await holder.acquire('a')
  const waiting = waiter.acquire('a')
  await queued(holder, 'a', 1)
  const since = performance.now()
  await Promise.all(ensemble.servers.map((server) => server.kill()))
  await Promise.all(ensemble.servers.map((server) => server.start()))
  await ensemble.ready()
  await until('a later proof has come', () => lock.expiresAt > since + ttl)
  expect(lock.held).toBe(true)
  await expect(lock.release()).resolves.toBe('released')
  expect((await waiting).token).toBeGreaterThan(lock.token)
})
