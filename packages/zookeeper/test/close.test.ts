import { startZookeeper } from '@locks/testkit'
import { expect, test } from 'vitest'
import { cleanup, nothingIsLeftAt, open, queued, urlOf } from './fixtures.ts'

test('closing a manager leaves nothing at the server, which has not had to delete anything itself', async () => {
  // Every minute it would delete empty containers.
  const server = await startZookeeper()
  cleanup(() => server.end())
  const url = urlOf(server.port)
  const [locks, other] = [await open(url, { ttl: 10_000 }), await open(url, { ttl: 10_000, namespace: 'other' })]
  const rival = await open(url, { ttl: 10_000 })
  await Promise.all(Array.from({ length: 100 }, async (_, at) => (await locks.acquire(`released ${at}`)).release()))
  await Promise.all(Array.from({ length: 100 }, (_, at) => locks.acquire(`held ${at}`)))
  await Promise.all([locks.acquire('shared', { mode: 'shared' }), rival.acquire('shared', { mode: 'shared' })])
  await Promise.all([locks.acquire('permits', { permits: 3, weight: 2 }), other.acquire('held 0')])
  const waiting = [rival.acquire('held 0'), rival.acquire('permits', { permits: 3, weight: 2 })]
  const refused = Promise.allSettled(waiting)
  await queued(locks, 'held 0', 1)
  await queued(locks, 'permits', 1)
  await rival.close()
  expect((await refused).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  await Promise.all([locks.close(), other.close()])
  await nothingIsLeftAt(server)
})
