import { startZookeeper } from '@locks/testkit'
import { afterAll, expect, test } from 'vitest'
import { connectAdmin } from './admin.ts'
import { nothing, open, queued, unhandled, until, urlOf } from './fixtures.ts'

// Empty containers vanish under everybody's feet.
const server = await startZookeeper({ tidies: 50 })
const admin = await connectAdmin([server.port])
afterAll(async () => {
  admin.close()
  await server.end()
})

const ttl = 3_000
const client = (options = {}) => open(urlOf(server.port), { ttl, ...options })

/** All nodes that go with a session, but for the one that is its sign of life. */
async function contenders(): Promise<string[]> {
  return [...(await server.ephemerals()).values()].flat().filter((path) => !path.includes('/.'))
}

test('a node that is deleted by hand: its holder is told within a third of the ttl and a second', async () => {
  const seen = unhandled()
  const [holder, other] = [await client(), await client()]
  const locks = await Promise.all([holder.acquire('a'), holder.acquire('b', { permits: 2 }), holder.acquire('c')])
  const [lost, alsoLost, kept] = locks
  const doomed = (await contenders()).filter((path) => !path.includes('/c/'))
  expect(doomed).toHaveLength(2)
  const since = performance.now()
  await Promise.all(doomed.map((path) => admin.remove(path)))
  await until('they know', () => !lost.held && !alsoLost.held)
  const told = performance.now() - since
  console.log(`told ${told.toFixed()} ms after its node was deleted`)
  expect(told).toBeLessThan(ttl / 3 + 1_000)
  expect(lost.signal.reason).toMatchObject({ code: 'LOST', reason: 'gone' })
  expect(kept.held).toBe(true)
  const next = await other.acquire('a')
  expect(next.token).toBeGreaterThan(lost.token)
  await expect(lost.release()).resolves.toBe('lost')
  expect(next.held).toBe(true)
  await expect(next.release()).resolves.toBe('released')
  await expect(kept.release()).resolves.toBe('released')
  await Promise.all([holder.close(), other.close()])
  expect(seen).toEqual(nothing)
})

test('a waiter whose node is deleted by hand is granted all the same', async () => {
  const seen = unhandled()
  const [holder, waiter] = [await client(), await client()]
  const lock = await holder.acquire('a')
  const [own] = await contenders()
  const waiting = waiter.acquire('a')
  await queued(holder, 'a', 1)
  for (const path of await contenders()) if (path !== own) await admin.remove(path)
  await queued(holder, 'a', 0)
  await queued(holder, 'a', 1)
  await expect(lock.release()).resolves.toBe('released')
  const granted = await waiting
  expect(granted.token).toBeGreaterThan(lock.token)
  await Promise.all([holder.close(), waiter.close()])
  expect(seen).toEqual(nothing)
})

test('everything under the root deleted by hand: whoever held is told, whoever waited is granted', async () => {
  const seen = unhandled()
  const [holder, first, second] = [await client(), await client(), await client()]
  const lock = await holder.acquire('a')
  const waiting = first.acquire('a')
  await queued(holder, 'a', 1)
  const last = second.acquire('b')
  await last
  await until('the root is gone', async () => {
    // Those who live put their nodes back meanwhile.
    await admin.removeAll('/locks').catch(() => {})
    return !lock.held
  })
  expect(lock.held).toBe(false)
  // It may have been granted in the middle of it, and robbed like the holder.
  const granted = await waiting
  expect(granted.token).toBeGreaterThan(lock.token)
  await expect(lock.release()).resolves.toBe('lost')
  await granted.release()
  const again = await second.acquire('a')
  expect(again.held).toBe(true)
  expect(again.token).toBeGreaterThan(granted.token)
  await Promise.all([holder, first, second].map((locks) => locks.close()))
  expect(seen).toEqual(nothing)
})

test('parents that vanish between any two calls cost nobody anything', async () => {
  const seen = unhandled()
  const clients = [await client(), await client(), await client()]
  let [held, most] = [0, 0]
  const tokens = new Map<string, bigint[]>()
  async function contend(locks: (typeof clients)[number], name: string): Promise<void> {
    for (let cycle = 0; cycle < 25; cycle++) {
      const lock = await locks.acquire(name, { timeout: 20_000 })
      most = Math.max(most, ++held)
      tokens.set(name, [...(tokens.get(name) ?? []), lock.token])
      // What is emptied here and what the server deletes meet at any moment.
      if (cycle % 3 === 0) await admin.remove(`/locks/locks/${name}`).catch(() => {})
      held--
      await expect(lock.release()).resolves.toBe('released')
      await admin.remove(`/locks/locks/${name}`).catch(() => {})
      await new Promise((resolve) => setTimeout(resolve, cycle % 5 === 0 ? 60 : 1))
    }
  }
  await Promise.all(clients.map((locks) => contend(locks, 'vanishing')))
  expect(most).toBe(1)
  for (const all of tokens.values()) {
    expect(all).toHaveLength(3 * 25)
    expect(all).toEqual(all.toSorted((a, b) => Number(a - b)))
    expect(new Set(all).size).toBe(all.length)
  }
  await Promise.all(clients.map((locks) => locks.close()))
  expect(seen).toEqual(nothing)
})

const names = [
  '..',
  '.',
  '',
  '/',
  '../../zookeeper/quota',
  '/zookeeper/a',
  'a/b',
  'a\0b',
  '\ud83d\ude00',
  '\ud800',
  '%2e%2e',
  '.a',
]

test('no name and no namespace leads out of the root, or to another one', async () => {
  const before = (await admin.children('/')).toSorted()
  const clients = []
  for (const namespace of ['locks', '..', '../zookeeper', '/', '.', 'a/b', '\u0001', 'locks/..']) {
    clients.push(await client({ namespace }))
  }
  const locks = await Promise.all(
    clients.flatMap((each) => names.map((name) => each.acquire(name, { timeout: 5_000 }))),
  )
  expect(locks).toHaveLength(clients.length * names.length)
  const paths = await contenders()
  expect(paths).toHaveLength(locks.length)
  for (const path of paths) expect(path).toMatch(/^\/locks\/[^/]+\/[^/]+\/[^/]+$/)
  // No two share a parent.
  expect(new Set(paths.map((path) => path.slice(0, path.lastIndexOf('/')))).size).toBe(paths.length)
  expect((await admin.children('/')).toSorted()).toEqual(before)
  expect((await admin.children('/zookeeper')).toSorted()).toEqual(['config', 'quota'])
  expect(await admin.children('/zookeeper/quota')).toEqual([])
  const [one] = clients
  expect((await one?.query())?.held.map(({ name }) => name).toSorted()).toEqual(names.toSorted())
  await Promise.all(clients.map((each) => each.close()))
})
