import { systemRandom } from '@locks/core/backend'
import { startEnsemble, type ZookeeperServer } from '@locks/testkit'
import { afterAll, expect, test } from 'vitest'
import { ending, nothing, open, queued, unhandled, until, urlOf } from './fixtures.ts'

// A follower that hears nothing of its leader believes in it for 10 s: five ttls.
const ensemble = await startEnsemble({ syncLimit: 50 })
afterAll(() => ensemble.end())

const ttl = 2_000

/** Whether a server that answers still has nodes of sessions that the others know to be over. */
const ephemeralsAt = async (server: ZookeeperServer) => (await server.counts()).ephemerals

test.for([1, 2, 3])('a holder whose follower is cut off knows before its rival is granted (%i)', async () => {
  const seen = unhandled()
  const leader = await ensemble.leader()
  const [follower] = await ensemble.followers()
  if (!follower) throw new Error('there is no follower')
  const holder = await open(urlOf(follower.port), { ttl })
  const rival = await open(urlOf(leader.port), { ttl })
  const lock = await holder.acquire('cut off')
  const waiting = rival.acquire('cut off')
  await queued(rival, 'cut off', 1)
  const before = lock.expiresAt
  await until('it is renewed', () => lock.expiresAt > before)

  await ensemble.cutOff(follower)
  const heal = ending(() => ensemble.heal())
  const cut = performance.now()
  // Nothing is read of the lock before its rival has it, so that the first question finds the answer.
  const next = await waiting
  const granted = performance.now()
  expect(lock.held).toBe(false)
  expect(() => lock.assertHeld()).toThrow(expect.objectContaining({ code: 'LOST' }))
  expect(lock.signal.aborted).toBe(true)
  expect(lock.expiresAt).toBeLessThan(granted)
  expect(next.held).toBe(true)
  expect(next.token).toBeGreaterThan(lock.token)
  console.log(
    `cut off at 0 ms, not held from ${(lock.expiresAt - cut).toFixed()} ms on, rival granted at` +
      ` ${(granted - cut).toFixed()} ms: ${(granted - lock.expiresAt).toFixed()} ms between`,
  )
  // It was worth asking: the follower still answers, as if the holder's session were there.
  expect(await follower.ask('srvr')).toMatch(/^Mode: follower$/m)
  expect(await ephemeralsAt(follower)).toBeGreaterThan(await ephemeralsAt(leader))
  await expect(lock.release()).resolves.toBe('lost')

  await heal()
  await ensemble.ready()
  const again = holder.acquire('cut off')
  await queued(rival, 'cut off', 1)
  await expect(next.release()).resolves.toBe('released')
  expect((await again).token).toBeGreaterThan(next.token)
  await Promise.all([holder.close(), rival.close()])
  expect(seen).toEqual(nothing)
})

test('a client that can reach others moves on from a follower that is cut off, and keeps its locks', async () => {
  const seen = unhandled()
  const [follower, ...others] = [...(await ensemble.followers()), await ensemble.leader()]
  if (!follower) throw new Error('there is no follower')
  // The order of its servers is by chance otherwise.
  const random = { ...systemRandom, unit: () => 0.5 }
  const locks = await open(urlOf(follower.port, ...others.map(({ port }) => port)), { ttl: 6_000, random })
  const held = await Promise.all(Array.from({ length: 10 }, (_, at) => locks.acquire(`kept ${at}`)))
  expect(await follower.ask('cons')).toMatch(/sid=0x[1-9a-f]/)

  await ensemble.cutOff(follower)
  const heal = ending(() => ensemble.heal())
  const since = performance.now()
  const took = await until('a later proof has come', () => held.every((lock) => lock.expiresAt > since + 6_000))
  console.log(`its follower cut off at 0 ms: the session is proved again at ${took.toFixed()} ms`)
  expect(await follower.ask('srvr')).toMatch(/^Mode: follower$/m)
  for (const lock of held) await expect(lock.release()).resolves.toBe('released')
  await locks.close()
  await heal()
  await ensemble.ready()
  expect(seen).toEqual(nothing)
})
