import { DatabaseSync } from 'node:sqlite'
import { LockManager } from '@locks/core'
import { sqlite } from '@locks/sqlite'
import { expect, test } from 'vitest'
import { child, cleanup, database, open, request } from './support.ts'

/** The longest time, ms, for which the event loop did not turn while something went on. */
async function longestStall(during: () => Promise<unknown>): Promise<number> {
  let longest = 0
  let last = performance.now()
  const timer = setInterval(() => {
    const now = performance.now()
    longest = Math.max(longest, now - last)
    last = now
  }, 1)
  await during()
  clearInterval(timer)
  return longest
}

test('a busy database keeps callers waiting, but not the event loop', async () => {
  const path = database()
  const { session } = await open(path)
  const blocker = child('block', { path, ms: 1_000 })
  await blocker.next()
  const started = performance.now()
  let waited = 0
  const stall = await longestStall(async () => {
    const claims = Array.from({ length: 200 }, (_, at) => request(`n${at}`))
    const answers = await Promise.all(claims.map((claim) => session.acquire(claim)))
    waited = performance.now() - started
    expect(answers.every((answer) => answer !== null && typeof answer === 'object')).toBe(true)
  })
  expect(waited).toBeGreaterThan(500)
  expect(stall).toBeLessThan(waited / 5)
})

test('the proof of a call that had to wait counts from when it was made in the end', async () => {
  const path = database()
  const { session } = await open(path, { ttl: 2_000 })
  const blocker = child('block', { path, ms: 1_000 })
  await blocker.next()
  const called = performance.now()
  const grant = await session.acquire(request('a'))
  expect(grant).toMatchObject({ proof: { ttl: 2_000 } })
  const { sent } = (grant as { proof: { sent: { mono: number; wall: number } } }).proof
  expect(sent.mono).toBeGreaterThan(called + 500)
  const db = new DatabaseSync(path)
  cleanup(() => db.close())
  expect(db.prepare('SELECT expires FROM entry').all()).toEqual([{ expires: sent.wall + 2_000 }])
})

test('reading does not wait for a writer, unless a call before it does', async () => {
  const path = database()
  const { session } = await open(path)
  await session.acquire(request('a'))
  const blocker = child('block', { path })
  await blocker.next()
  expect(await session.query()).toHaveLength(1)
  const acquired = session.acquire(request('b'))
  const read = session.query()
  blocker.send('go on')
  await acquired
  expect(await read).toHaveLength(2)
})

test('a database that stays busy for a ttl ends the session, and nothing was applied', async () => {
  const path = database()
  const { session } = await open(path, { ttl: 1_000 })
  const blocker = child('block', { path })
  await blocker.next()
  await expect(session.acquire(request('a'))).rejects.toMatchObject({ code: 'UNAVAILABLE', temporary: true })
  expect(await session.ended).toMatchObject({ code: 'UNAVAILABLE', message: expect.stringContaining('busy') as string })
  await expect(session.acquire(request('a'))).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  blocker.send('go on')
  await blocker.next()
  const other = await open(path)
  expect(await other.session.query()).toEqual([])
})

test('a session closes in bounded time', async () => {
  const path = database()
  const { session } = await open(path)
  const claim = request('a')
  await session.acquire(claim)
  const blocker = child('block', { path })
  await blocker.next()
  const started = performance.now()
  await session.close()
  expect(performance.now() - started).toBeLessThan(2_000)
  await expect(session.remove(claim)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
})

test('closing is bounded, and a manager closed meanwhile leaves nothing behind', async () => {
  const path = database()
  const locks = new LockManager(sqlite({ path }))
  const [held, kept] = [await locks.acquire('a'), await locks.acquire('b')]
  const blocker = child('block', { path })
  await blocker.next()
  const released = held.release()
  const started = performance.now()
  await locks.close()
  expect(performance.now() - started).toBeLessThan(1_000)
  expect(await released).toBe('released')
  expect(kept.held).toBe(false)
  expect(process.getActiveResourcesInfo()).not.toContain('FSEvent')
})

test('a session that is closed twice, while busy and after its end, settles', async () => {
  const path = database()
  const { session } = await open(path)
  const waiting = session.acquire(request('a'))
  await Promise.all([session.close(), session.close()])
  await waiting
  await session.close()
  expect(await session.ended).toMatchObject({ code: 'UNAVAILABLE', message: 'the session was closed' })
  const other = await open(path)
  expect(await other.session.query()).toEqual([])
})
