import { LockError, LockManager } from '@locks/core'
import type { Session } from '@locks/core/backend'
import { wired } from '@locks/core/conformance'
import { memory } from '@locks/core/memory'
import { expect, test } from 'vitest'
import { FakeClock, settled } from './fake-clock.ts'
import { altered } from './museum/boundary.ts'

const ttl = 3_000

/** Two clients of one store, the first behind a line. */
async function twoClients() {
  const clock = new FakeClock()
  const store = memory()
  const { backend, wire } = wired(store)
  const [slow, thief] = [backend, store].map((each) => new LockManager(each, { clock, ttl })) as [
    LockManager,
    LockManager,
  ]
  await Promise.all([slow.connect(), thief.connect()])
  return { slow, thief, wire }
}

test('a grant that was robbed before it was heard of is nobody’s: who waits, waits', async () => {
  const { slow, thief, wire } = await twoClients()
  await wire.delayAnswers()
  const waiting = slow.acquire('a')
  await settled()
  const stolen = await thief.acquire('a', { steal: true })
  // The news of the theft is faster than the answer.
  await wire.heal()
  await settled()
  expect((await thief.query('a')).pending).toHaveLength(1)
  await stolen.release()
  const lock = await waiting
  expect(lock.held).toBe(true)
  expect(lock.token).toBeGreaterThan(stolen.token)
})

test('and a try is told that nobody knows', async () => {
  const { slow, thief, wire } = await twoClients()
  await wire.delayAnswers()
  const trying = slow.tryAcquire('a').catch((error: unknown) => error)
  await settled()
  await thief.acquire('a', { steal: true })
  await wire.heal()
  expect(LockError.is(await trying, 'OUTCOME_UNKNOWN')).toBe(true)
})

test('a thief that was robbed before it was heard of does not rob its robber', async () => {
  const { slow, thief, wire } = await twoClients()
  await wire.delayAnswers()
  const first = slow.acquire('a', { steal: true })
  await settled()
  const last = await thief.acquire('a', { steal: true })
  await wire.heal()
  await first
  await settled()
  expect(last.held).toBe(true)
})

/** A store whose lease is the session: it proves all that it has at once. */
const leasing = (alter: (session: Session) => Partial<Session>) =>
  altered(memory(), (session) => ({ leases: 'session', ...alter(session) }))

test('an entry that waits is not held, however old the proof that the session has of all its entries', async () => {
  const clock = new FakeClock()
  const proof = { sent: clock.now(), ttl: 2 * ttl }
  const waits = () =>
    ({ renew: (claims) => Promise.resolve(new Map(claims.map(({ id }) => [id, proof]))) }) as Partial<Session>
  const locks = new LockManager(leasing(waits), { clock, ttl })
  await locks.connect()
  await clock.advance(10)
  const lock = await locks.acquire('a')
  await clock.advance(ttl / 3 + 500)
  expect(lock.held).toBe(false)
  await locks.close()
})

/** Its answers to these calls are under way for so long, ms, and come with a proof that is newer than the calls. */
function answersAfter(clock: FakeClock, ...delays: number[]) {
  const asked: number[] = []
  const backend = leasing((session) => ({
    acquire: async (request) => {
      asked.push(clock.now().mono)
      const granted = await session.acquire(request)
      await new Promise<void>((resolve) => clock.after(delays[asked.length - 1] ?? 0, resolve))
      return granted === null || granted === 'queued' ? granted : { ...granted, proof: { sent: clock.now(), ttl } }
    },
  }))
  return { locks: new LockManager(backend, { clock, ttl }), asked }
}

test('a grant counts from the call that asked for it, not from a proof that the session got since', async () => {
  const clock = new FakeClock()
  const { locks, asked } = answersAfter(clock, 400)
  await locks.connect()
  const acquired = locks.acquire('a')
  await clock.advance(400)
  expect(await acquired).toHaveProperty('expiresAt', asked[0]! + 0.9 * ttl)
  await locks.close()
})

test('and so does the answer to the same call, made again', async () => {
  const clock = new FakeClock()
  const { locks, asked } = answersAfter(clock, 1_100, 200)
  await locks.connect()
  const acquired = locks.acquire('a')
  await clock.advance(1_100)
  const lock = await acquired
  expect(asked).toHaveLength(2)
  expect(lock.expiresAt).toBe(asked[0]! + 0.9 * ttl)
  await clock.advance(asked[1]! + 200 - clock.now().mono)
  expect(lock.expiresAt).toBe(asked[1]! + 0.9 * ttl)
  await locks.close()
})
