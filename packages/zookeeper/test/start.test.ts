import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { LockError, openLocks } from '@locks/core'
import { digestOf, startZookeeper } from '@locks/testkit'
import { adapter } from '@locks/zookeeper'
import { afterAll, expect, test } from 'vitest'
import { connectAdmin } from './admin.ts'
import { cleanup, nothingIsLeftAt, open, settled, urlOf } from './fixtures.ts'

// The parent of a refused session's sign of life is left to the server to delete.
const server = await startZookeeper({
  tidies: 500,
  superPassword: 'of-the-admin',
  config: { minSessionTimeout: '2000', maxSessionTimeout: '4000' },
})
afterAll(() => server.end())
const url = urlOf(server.port)

/** What was warned of. */
function warnings(): readonly { code: string; message: string }[] {
  const seen: { code: string; message: string }[] = []
  const note = (message: unknown) => void seen.push(message as { code: string; message: string })
  subscribe('locks:warning', note)
  cleanup(() => unsubscribe('locks:warning', note))
  return seen
}

test('openLocks finds it by its URL', async () => {
  const locks = await openLocks(url, {
    ttl: 4_000,
    adapters: [adapter],
    require: { fencing: 'durable', order: 'fifo' },
  })
  const lock = await locks.acquire('a')
  expect(lock.token).toBeGreaterThan(0n)
  await lock.release()
  await locks.close()
  await nothingIsLeftAt(server)
})

test('a ttl under what the servers grant is refused, and says what they do', async () => {
  const { error } = await settled(open(url, { ttl: 1_500 }))
  expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringContaining('2000 ms') as string })
  expect(LockError.find(error)?.temporary).toBe(false)
  await nothingIsLeftAt(server)
})

test('a ttl over what the servers grant is theirs, and is warned of', async () => {
  const seen = warnings()
  const locks = await open(url, { ttl: 60_000 })
  const lock = await locks.acquire('a')
  expect(lock.expiresAt - performance.now()).toBeLessThanOrEqual(4_000)
  expect(seen).toMatchObject([{ code: 'ZOOKEEPER_TTL', message: expect.stringContaining('4000 ms') as string }])
  expect(lock.held).toBe(true)
  await locks.close()
  await nothingIsLeftAt(server)
})

test('a server that is not there, or not yet, is a temporary error within the time for it', async () => {
  const other = await startZookeeper()
  await other.kill()
  cleanup(() => other.end())
  const { error, after } = await settled(open(urlOf(other.port), { ttl: 2_000, connectTimeout: 500 }))
  expect(LockError.find(error)).toMatchObject({ code: 'UNAVAILABLE', temporary: true })
  expect(after).toBeLessThan(1_500)
  await other.start()
  const locks = await open(urlOf(other.port), { ttl: 2_000 })
  await (await locks.acquire('a')).release()
})

test('a root that belongs to others is refused, for good, and nothing is left there', async () => {
  const admin = await connectAdmin([server.port], 'of-the-admin')
  cleanup(async () => {
    await admin.removeAll('/theirs')
    admin.close()
  })
  await admin.createFor('/theirs', `digest:${digestOf('they', 'secret')}`)
  for (const userinfo of ['', 'we:secret@']) {
    const { error } = await settled(open(`zookeeper://${userinfo}127.0.0.1:${server.port}/theirs`, { ttl: 2_000 }))
    expect(LockError.find(error)).toMatchObject({ code: 'UNAVAILABLE', temporary: false })
  }
  const locks = await open(`zookeeper://they:secret@127.0.0.1:${server.port}/theirs`, { ttl: 2_000 })
  await (await locks.acquire('a')).release()
  await locks.close()
  expect(await admin.children('/theirs')).toEqual([])
})

test('what one user has made, no other may touch', async () => {
  const path = (user: string) => `zookeeper://${user}:secret@127.0.0.1:${server.port}/ours`
  const locks = await open(path('we'), { ttl: 2_000 })
  const lock = await locks.acquire('a')
  const { error } = await settled(open(path('they'), { ttl: 2_000 }))
  expect(LockError.find(error)).toMatchObject({ code: 'UNAVAILABLE', temporary: false })
  expect(lock.held).toBe(true)
  await lock.release()
})
