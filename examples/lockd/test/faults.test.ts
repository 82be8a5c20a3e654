import { LockManager, openLocks, type Lock } from '@locks/core'
import { adapter, lockd } from '@locks/example-lockd'
import { afterEach, expect, test } from 'vitest'
import { startLockd } from './server.ts'

/** To be undone when a test is over, the latest first. */
const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean()
})

async function started(options: { port?: number; grace?: number } = {}) {
  const server = await startLockd(options)
  cleanups.push(() => server.end())
  return server
}

function client(port: number, ttl = 2_000): LockManager {
  const locks = new LockManager(lockd({ port }), { ttl })
  cleanups.push(() => locks.close())
  return locks
}

const lost = (lock: Lock) => new Promise((resolve) => lock.signal.addEventListener('abort', resolve, { once: true }))

test('a server that is killed takes its locks with it, and the holder is told at once', async () => {
  const server = await started()
  const lock = await client(server.port, 60_000).acquire('lock')
  const told = lost(lock)
  await server.end()
  await told
  expect(lock.held).toBe(false)
})

test('a server that is stopped: the holder knows in time, and the next one has the lock when it goes on', async () => {
  const server = await started()
  const lock = await client(server.port).acquire('lock')
  const waiting = client(server.port, 60_000).acquire('lock')
  await expect.poll(async () => (await client(server.port).query('lock')).pending).toHaveLength(1)
  server.process.kill('SIGSTOP')
  await lost(lock)
  expect(lock.held).toBe(false)
  server.process.kill('SIGCONT')
  const next = await waiting
  expect(next.held).toBe(true)
  expect(next.token).toBeGreaterThan(lock.token)
})

test('a server that was started anew grants nothing until the locks of the one before have run out', async () => {
  const first = await started()
  const { port } = first
  const lock = await client(port).acquire('lock')
  await first.end()
  const second = await started({ port, grace: 60_000 })
  const impatient = new LockManager(lockd({ port }), { ttl: 2_000, connectTimeout: 500 })
  cleanups.push(() => impatient.close())
  await expect(impatient.tryAcquire('lock')).rejects.toThrow(/only just started/)
  await second.end()
  await started({ port, grace: 1_500 })
  const next = await client(port).acquire('lock')
  expect(next.token).toBeGreaterThan(lock.token)
})

test('says how a server is started where there is none', async () => {
  const server = await started()
  await server.end()
  const opened = openLocks(server.url, { adapters: [adapter], connectTimeout: 500 })
  await expect(opened).rejects.toThrow(/no lockd at 127\.0\.0\.1:\d+ .*start one with/)
})

test.each(['lockd://a,b', 'lockd://user@host', 'lockd://host/path', 'lockd://host?ttl=5', 'lockd:'])(
  'refuses %s',
  async (url) => {
    await expect(openLocks(url, { adapters: [adapter] })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  },
)
