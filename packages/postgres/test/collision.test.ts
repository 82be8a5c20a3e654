import { LockManager } from '@locks/core'
import { encodeName } from '@locks/core/backend'
import { startPostgres } from '@locks/testkit'
import { afterAll, expect, test } from 'vitest'
import { backendOn } from '../src/backend.ts'
import { sha256, type Hash } from '../src/keys.ts'
import { settingsFromUrl } from '../src/options.ts'
import { cleanup, leftAt, nothing, queued } from './fixtures.ts'

const server = await startPostgres()
afterAll(() => server.end())

/** All names that begin with an a share one key. */
const colliding: Hash = (text) => (text.includes(`/${encodeName('a')}`) ? 4_711n : sha256(text))

function client(): LockManager {
  const locks = new LockManager(backendOn(settingsFromUrl(server.url), colliding), { ttl: 2_000 })
  cleanup(() => locks.close())
  return locks
}

const keysLocked = () =>
  server.psql(`SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 AND granted`)

test('two names of one key, in one process, are two locks: each excludes, each is released by itself', async () => {
  const [locks, other] = [client(), client()]
  const first = await locks.acquire('a1')
  expect(await keysLocked()).toBe('1')
  // The server would give this session its key once more.
  const second = locks.acquire('a2', { timeout: 10_000 })
  expect(await locks.tryAcquire('a1')).toBeNull()
  expect(await other.tryAcquire('a1')).toBeNull()
  await first.release()
  const held = await second
  expect(held.name).toBe('a2')
  expect(await other.tryAcquire('a2')).toBeNull()
  expect(await locks.tryAcquire('a2')).toBeNull()
  await held.release()
  const next = await other.acquire('a2')
  expect(next.token).toBeGreaterThan(held.token)
  await Promise.all([locks.close(), other.close()])
  expect(await leftAt(server)).toEqual(nothing)
})

test('two names of one key, held by two processes, wait for each other and are both served', async () => {
  const [one, other] = [client(), client()]
  for (let round = 0; round < 10; round++) {
    const names = ['a1', 'a2', 'a3']
    await Promise.all(
      [one, other].flatMap((locks) =>
        names.map((name) =>
          locks.request(name, (lock) => {
            expect(lock.held).toBe(true)
            expect(lock.name).toBe(name)
          }),
        ),
      ),
    )
  }
  await Promise.all([one.close(), other.close()])
  expect(await leftAt(server)).toEqual(nothing)
})

test('of all that share a key, never two of one name hold it, in whatever modes they are asked for', async () => {
  const managers = [client(), client(), client()]
  const inside = new Map<string, number>()
  const work = managers.flatMap((locks, at) =>
    Array.from({ length: 40 }, async (_, turn) => {
      const name = `a${turn % 3}`
      const mode = turn % 4 === 0 ? 'shared' : 'exclusive'
      await locks.request(name, { mode }, async () => {
        const others = inside.get(name) ?? 0
        if (mode === 'exclusive') expect(others).toBe(0)
        else expect(others).toBeGreaterThanOrEqual(0)
        inside.set(name, mode === 'exclusive' ? -1_000 : others + 1)
        await new Promise((resolve) => setTimeout(resolve, at))
        inside.set(name, mode === 'exclusive' ? 0 : (inside.get(name) ?? 0) - 1)
      })
    }),
  )
  await Promise.all(work)
  await Promise.all(managers.map((locks) => locks.close()))
  expect(await leftAt(server)).toEqual(nothing)
})

test('of one key, what is held in one name is told of that name only', async () => {
  const [locks, other] = [client(), client()]
  const lock = await locks.acquire('a1')
  const waiting = other.acquire('a2')
  await queued(other, 'a2', 1)
  expect((await other.query('a1')).held).toMatchObject([{ name: 'a1', token: lock.token }])
  expect((await other.query('a2')).held).toEqual([])
  await lock.release()
  expect((await waiting).held).toBe(true)
})
