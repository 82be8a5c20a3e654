import { type LockManager } from '@locks/core'
import { etcd } from '@locks/etcd'
import { startEtcdCluster, type EtcdServer } from '@locks/testkit'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, expect, test } from 'vitest'
import { cleanup, leftAt, open, queued, unhandledRejections, until, urlOf } from './fixtures.ts'

const cluster = await startEtcdCluster()
afterAll(() => cluster.end())

const ttl = 3_000

/** A manager that knows these members only. */
function client(members: readonly EtcdServer[], options: { ttl?: number } = {}): Promise<LockManager> {
  return open(etcd({ url: urlOf(...members.map(({ port }) => port)) }), { ttl, ...options })
}

const fates = {
  killed: {
    befall: (leader: EtcdServer) => leader.kill(),
    recover: (leader: EtcdServer) => leader.start(),
  },
  stopped: {
    befall: (leader: EtcdServer) => leader.stop(),
    recover: (leader: EtcdServer) => leader.continue(),
  },
}

test.for(Object.entries(fates))(
  'a leader that is %s is replaced, and nobody notices more than a pause',
  async (fate) => {
    const [what, { befall, recover }] = fate
    const unhandled = unhandledRejections()
    const former = await cluster.leader()
    // Those of the leader have to find another member.
    const order = [former, ...cluster.members.filter((member) => member !== former)]
    const [holder, waiter] = [await client(order, { ttl: 10_000 }), await client(order, { ttl: 10_000 })]
    const lock = await holder.acquire('kept')
    const waiting = waiter.acquire('kept')
    await queued(holder, 'kept', 1)

    let isDown = true
    await befall(former)
    cleanup(() => isDown && recover(former))
    const began = performance.now()
    const renewedUpTo = lock.expiresAt
    const requested = holder.acquire('requested meanwhile').then(async (granted) => {
      const after = performance.now() - began
      await granted.release()
      return after
    })
    await cluster.successorOf(former)
    const elected = performance.now() - began
    const requestedAfter = await requested
    await until('it is renewed', () => lock.expiresAt > renewedUpTo)
    console.log(
      `leader ${what}: another after ${elected.toFixed()} ms, a request of the meantime granted after` +
        ` ${requestedAfter.toFixed()} ms, the lock renewed after ${(performance.now() - began).toFixed()} ms`,
    )
    expect(lock.held).toBe(true)
    expect((await waiter.query('kept')).held).toMatchObject([{ token: lock.token }])
    await expect(lock.release()).resolves.toBe('released')
    const next = await waiting
    expect(next.held).toBe(true)
    expect(next.token).toBeGreaterThan(lock.token)

    await recover(former)
    isDown = false
    await cluster.ready()
    for (const locks of [holder, waiter]) await (await locks.acquire('afterwards', { timeout: 5_000 })).release()
    expect(next.held).toBe(true)
    await expect(next.release()).resolves.toBe('released')
    await Promise.all([holder, waiter].map((locks) => locks.close()))
    expect(await leftAt(former)).toEqual([])
    expect(unhandled).toEqual([])
  },
)

/** A leader that is stuck most of the time takes long to notice that it has lost the others. */
async function stumble(leader: EtcdServer, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await leader.stop()
    await sleep(1_200)
    await leader.continue()
    await sleep(40)
  }
}

test.for([
  ['cut off', false],
  ['cut off and stuck most of the time', true],
] as const)('a holder whose leader is %s has lost before the rival is granted', async ([, isStuck]) => {
  const leader = await cluster.leader()
  const others = cluster.members.filter((member) => member !== leader)
  const [other] = others
  const holder = await client([leader], { ttl: 4_000 })
  const [lease] = await leader.leases()
  const rival = await client(others)
  const lock = await holder.acquire('contested')
  const waiting = rival.acquire('contested')
  await queued(rival, 'contested', 1)

  const stop = new AbortController()
  cleanup(async () => {
    stop.abort()
    await stumbling
    await cluster.heal()
    await cluster.ready()
  })
  await cluster.isolate(leader)
  const began = performance.now()
  const stumbling = isStuck ? stumble(leader, stop.signal) : Promise.resolve()
  // It still answers what needs no other member.
  expect(await leader.ctl('lease', 'list')).toContain(lease)

  const granted = await waiting
  const now = performance.now()
  // Nothing has read `held` so far: it is right by itself.
  expect(lock.held).toBe(false)
  expect(granted.held).toBe(true)
  const gap = now - lock.expiresAt
  if (isStuck) {
    // What the holder cannot rely on: a lease that the others have long ended is renewed here.
    expect(await other?.leases()).not.toContain(lease)
    expect(await leader.ctl('lease', 'keep-alive', '--once', lease ?? '')).toContain('keepalived with TTL')
  }
  console.log(
    `the holder's lock ended ${(lock.expiresAt - began).toFixed()} ms after its leader was cut off,` +
      ` the rival was granted ${gap.toFixed()} ms later`,
  )
  expect(gap).toBeGreaterThan(0)
  expect(granted.token).toBeGreaterThan(lock.token)
  expect(() => lock.assertHeld()).toThrow(expect.objectContaining({ code: 'LOST' }))
  await expect(lock.release()).resolves.toBe('lost')

  stop.abort()
  await stumbling
  await cluster.heal()
  await cluster.ready()
  // Its leader follows another now, and nothing of the old lock comes back.
  const again = holder.acquire('contested')
  await queued(rival, 'contested', 1)
  expect(lock.held).toBe(false)
  expect(granted.held).toBe(true)
  await granted.release()
  const last = await again
  expect(last.token).toBeGreaterThan(granted.token)
  await Promise.all([holder.close(), rival.close()])
  expect(await leftAt(leader)).toEqual([])
})
