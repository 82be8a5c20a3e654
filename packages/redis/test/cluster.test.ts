import type { Lock } from '@locks/core'
import { encodeName } from '@locks/core/backend'
import { redis } from '@locks/redis'
import { startCluster, type RedisServer } from '@locks/testkit'
import { randomBytes } from 'node:crypto'
import { Cluster } from 'ioredis'
import { afterAll, expect, test } from 'vitest'
import { cleanup, open, queued, unhandledRejections, until } from './fixtures.ts'

const deployment = await startCluster()
const hosts = deployment.nodes.map(({ port }) => ({ host: '127.0.0.1', port }))
// Otherwise all shards refuse as long as one has no master.
await Promise.all(deployment.nodes.map((node) => node.cli('CONFIG', 'SET', 'cluster-require-full-coverage', 'no')))
const admin = new Cluster(hosts)
afterAll(async () => {
  admin.disconnect()
  await deployment.end()
})

const url = `redis+cluster://${hosts.map(({ port }) => `127.0.0.1:${port}`).join()}?restartGrace=false`

const client = (ttl = 10_000, namespace = 'locks') => open(redis({ url }), { ttl, namespace })

const keyOf = (name: string, namespace = 'locks') => `locks:{${namespace}/${encodeName(name)}}`

/** Names that a master serves, as many as are wanted. */
async function namesAt(master: RedisServer, count: number, prefix = 'name'): Promise<string[]> {
  const names: string[] = []
  for (let serial = 0; names.length < count; serial++) {
    const name = `${prefix} ${serial}`
    if ((await deployment.masterOf(await slotOf(name))) === master) names.push(name)
  }
  return names
}

const slotOf = (name: string, namespace?: string): Promise<number> => admin.cluster('KEYSLOT', keyOf(name, namespace))

test('names spread over all slots are locked all at once, each for itself, and listed together', async () => {
  const namespace = 'spread'
  const [locks, other] = [await client(10_000, namespace), await client(10_000, namespace)]
  const names = Array.from({ length: 400 }, () => randomBytes(9).toString('base64'))
  const slots = await Promise.all(names.map((name) => slotOf(name, namespace)))
  const masters = await deployment.masters()
  const served = new Map<number, number>()
  for (const slot of new Set(slots)) {
    const { port } = await deployment.masterOf(slot)
    served.set(port, (served.get(port) ?? 0) + 1)
    if (served.size === masters.length && [...served.values()].every((count) => count >= 10)) break
  }
  expect(served.size).toBe(3)
  expect(new Set(slots).size).toBeGreaterThan(350)

  const held = await Promise.all(names.map((name) => locks.acquire(name)))
  expect(new Map(held.map(({ name, token }) => [name, token])).size).toBe(400)
  const snapshot = await other.query()
  expect(new Map(snapshot.held.map(({ name, token }) => [name, token]))).toEqual(
    new Map(held.map(({ name, token }) => [name, token])),
  )
  expect(snapshot.pending).toEqual([])
  const refused = await Promise.all(names.map((name) => other.tryAcquire(name)))
  expect(refused.filter((lock) => lock !== null)).toEqual([])
  const before = held.map(({ expiresAt }) => expiresAt)
  await until('all are renewed', () => held.every(({ expiresAt }, at) => expiresAt > (before[at] ?? 0)))
  const releases = await Promise.all(held.map((lock) => lock.release()))
  expect(new Set(releases)).toEqual(new Set(['released']))
  expect(await other.query()).toEqual({ held: [], pending: [] })
})

test.for(['killed', 'stopped'] as const)(
  'a master that is %s takes down its own names only, and only until its replica is master',
  async (fate) => {
    const unhandled = unhandledRejections()
    // So short that what is not renewed all through is lost.
    const ttl = 1_200
    const [former, ...others] = await deployment.masters()
    if (!former) throw new Error('there is no master')
    const prefix = `${fate} name`
    const [kept = '', waited = '', dropped = '', own = '', probe = '', after = ''] = await namesAt(former, 6, prefix)
    const elsewhere = (await Promise.all(others.map((master) => namesAt(master, 6, prefix)))).flat()
    const [brief, patient, waiter] = [await client(ttl), await client(), await client()]

    const unaffected = await Promise.all(elsewhere.slice(0, 8).map((name) => brief.acquire(name)))
    const lasting = await patient.acquire(kept)
    const queuedFor = await patient.acquire(waited)
    const waiting = waiter.acquire(waited)
    await queued(patient, waited, 1)
    const removed = await brief.acquire(dropped)
    const short = await brief.acquire(own)
    await until('the replica has them all', async () => {
      const keys = await deployment.replicaOf(former).cli('KEYS', '*')
      return [kept, waited, dropped, own].every((name) => keys.includes(keyOf(name)))
    })

    let isDown = true
    await (fate === 'killed' ? former.kill() : former.stop())
    const recover = async () => {
      if (isDown) await (fate === 'killed' ? former.start() : former.continue())
      isDown = false
    }
    cleanup(recover)
    const began = performance.now()
    // Its removal cannot be confirmed as long as nobody serves its shard.
    const removal = removed.release()
    const requested = brief.acquire(probe).then(async (lock) => {
      const took = performance.now() - began
      await lock.release()
      return took
    })
    const promoted = deployment.promoted(former).then(() => performance.now() - began)

    // All the while, the other shards work as if nothing had happened.
    let [rounds, slowest] = [0, 0]
    let isPromoted = false
    void promoted.finally(() => (isPromoted = true))
    while (!isPromoted || performance.now() - began < 3 * ttl) {
      const asked = performance.now()
      const lock = await brief.acquire(elsewhere[8 + (rounds++ % 4)] ?? '', { timeout: ttl })
      await lock.release()
      slowest = Math.max(slowest, performance.now() - asked)
      expect(unaffected.filter(({ held }) => !held)).toEqual([])
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    const [promotedAfter, requestedAfter] = [await promoted, await requested]
    console.log(
      `master ${fate}: replica is master after ${promotedAfter.toFixed()} ms, a request of the meantime granted after` +
        ` ${requestedAfter.toFixed()} ms; ${rounds} locks of other shards meanwhile, ${slowest.toFixed()} ms at most`,
    )
    expect(requestedAfter).toBeLessThan(promotedAfter + 2_000)
    await expect(removal).resolves.toBe('released')

    const before = lasting.expiresAt
    await until('what was replicated is renewed', () => lasting.expiresAt > before)
    expect(lasting.held).toBe(true)
    expect((await waiter.query(kept)).held).toMatchObject([{ token: lasting.token }])
    if (short.held) expect((await waiter.query(own)).held).toMatchObject([{ token: short.token }])
    else expect(short.signal.reason).toMatchObject({ code: 'LOST' })
    await expect(queuedFor.release()).resolves.toBe('released')
    const next = await waiting
    expect(next.held).toBe(true)
    expect(next.token).toBeGreaterThan(queuedFor.token)
    await next.release()
    const later = await brief.acquire(after)
    await later.release()

    await recover()
    await deployment.ready()
    for (const lock of [lasting, short, ...unaffected]) await lock.release()
    const again = await brief.acquire(own)
    expect(again.token).toBeGreaterThan(short.token)
    await again.release()
    expect(await waiter.query()).toEqual({ held: [], pending: [] })
    expect(unhandled).toEqual([])
  },
)

test('a slot that is moved to another master takes its holder and its waiters along', async () => {
  const unhandled = unhandledRejections()
  const ttl = 2_000
  const [holder, waiter, third] = [await client(ttl), await client(ttl), await client(ttl)]
  const name = 'moved'
  const [slot, key] = [await slotOf(name), keyOf(name)]
  const from = await deployment.masterOf(slot)
  const to = (await deployment.masters()).find((master) => master !== from)
  if (!to) throw new Error('there is one master only')
  const [fromId, toId] = [await from.cli('CLUSTER', 'MYID'), await to.cli('CLUSTER', 'MYID')]

  const lock = await holder.acquire(name)
  const order: string[] = []
  const note = (who: string) => (granted: Lock) => {
    order.push(who)
    return granted
  }
  const second = waiter.acquire(name).then(note('second'))
  await queued(holder, name, 1)
  const last = third.acquire(name).then(note('last'))
  await queued(holder, name, 2)

  await to.cli('CLUSTER', 'SETSLOT', String(slot), 'IMPORTING', fromId)
  await from.cli('CLUSTER', 'SETSLOT', String(slot), 'MIGRATING', toId)
  await renewed(lock)
  const keys = (await from.cli('CLUSTER', 'GETKEYSINSLOT', String(slot), '100')).split('\n')
  expect(keys).toContain(key)
  await from.cli('MIGRATE', '127.0.0.1', String(to.port), '', '0', '5000', 'KEYS', ...keys)
  // The key is there, the slot is still here: clients are sent to ask there.
  await renewed(lock)
  await expect(lock.release()).resolves.toBe('released')
  const next = await second
  expect(next.token).toBeGreaterThan(lock.token)
  await renewed(next)
  for (const node of [to, from]) await node.cli('CLUSTER', 'SETSLOT', String(slot), 'NODE', toId)
  await until('all know of it', async () => {
    const answers = await Promise.all(deployment.nodes.map((node) => node.cli('CLUSTER', 'NODES')))
    return answers.every((view) => view.split('\n').some((line) => line.startsWith(toId) && ownsAlso(line, slot)))
  })
  expect(await deployment.masterOf(slot)).toBe(to)
  await renewed(next)
  expect((await holder.query(name)).pending).toHaveLength(1)
  await expect(next.release()).resolves.toBe('released')
  const end = await last
  expect(end.token).toBeGreaterThan(next.token)
  await renewed(end)
  expect(order).toEqual(['second', 'last'])
  await end.release()
  expect(await holder.query(name)).toEqual({ held: [], pending: [] })
  expect(unhandled).toEqual([])
})

/** Whether a line of CLUSTER NODES has a slot among those of its node. */
function ownsAlso(line: string, slot: number): boolean {
  const ranges = line.split(' ').slice(8)
  return ranges.some((range) => {
    const [first = Number.NaN, last = first] = range.split('-').map(Number)
    return first <= slot && slot <= last
  })
}

async function renewed(lock: Lock): Promise<void> {
  const before = lock.expiresAt
  await until('it is renewed', () => lock.expiresAt > before)
  expect(lock.held).toBe(true)
}
