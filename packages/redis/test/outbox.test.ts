import { LockError, type Grant, type Request } from '@locks/core/backend'
import { startRedis, type RedisServer } from '@locks/testkit'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { at, keyFor, open, request, take, until } from './support.ts'

/** What is asked for in one tick. */
let server: RedisServer
let admin: Redis
beforeAll(async () => {
  server = await startRedis({ appendonly: true })
  admin = new Redis(server.url)
})
beforeEach(() => admin.flushall())
afterAll(async () => {
  admin.disconnect()
  await server.end()
})

async function scriptsOf<T>(call: () => Promise<T>): Promise<readonly [T, number]> {
  const runs = async () => Number(/cmdstat_evalsha:calls=(\d+)/.exec(await admin.info('commandstats'))?.[1] ?? 0)
  const before = await runs()
  return [await call(), (await runs()) - before] as const
}

const isGrant = (answer: unknown): answer is Grant => typeof answer === 'object' && answer !== null

/** What became of it, in a word. */
const wordOf = (outcome: PromiseSettledResult<Grant | 'queued' | null>) => {
  if (outcome.status === 'rejected') return LockError.find(outcome.reason)?.code
  return isGrant(outcome.value) ? 'granted' : outcome.value
}

test('64 names that are asked for and let go take one script each time', async () => {
  const { session } = await open(at(server.url))
  const wanted = Array.from({ length: 64 }, (_, name) => request(`name${name}`))
  const [answers, asked] = await scriptsOf(() => Promise.all(wanted.map((each) => session.acquire(each))))
  expect(answers.every(isGrant)).toBe(true)
  expect(asked).toBe(1)
  const [found, removed] = await scriptsOf(() => Promise.all(wanted.map((each) => session.remove(each))))
  expect(found).toEqual(wanted.map(() => true))
  expect(removed).toBe(1)
})

test('each has an outcome of its own, and a key that holds something else costs the others nothing', async () => {
  const [{ session: other }, { session }] = [await open(at(server.url)), await open(at(server.url))]
  for (const name of ['held', 'heldtoo']) await take(other, request(name))
  await take(other, request('shared', { mode: 'shared' }))
  await admin.set(keyFor('spoiled'), 'something else')
  const wanted = [
    request('free'),
    request('held'),
    request('spoiled'),
    request('heldtoo', { wait: false }),
    request('freetoo'),
  ]
  const outcomes = await Promise.allSettled(wanted.map((each) => session.acquire(each)))
  expect(outcomes.map(wordOf)).toEqual(['granted', 'queued', 'UNAVAILABLE', null, 'granted'])
  const removals = await Promise.allSettled(wanted.map((each) => session.remove(each)))
  expect(removals.map((each) => (each.status === 'fulfilled' ? each.value : 'failed'))).toEqual([
    true,
    true,
    'failed',
    false,
    true,
  ])
})

test('calls about one name are carried out in the order in which they were made', async () => {
  const { session, granted } = await open(at(server.url))
  const [first, second, third] = [request('a'), request('a'), request('a', { mode: 'shared' })]
  const [one, two, three, gone, other] = await Promise.all([
    session.acquire(first),
    session.acquire(second),
    session.acquire(third),
    session.remove(first),
    session.acquire(request('b')),
  ])
  expect([isGrant(one), two, three, gone, isGrant(other)]).toEqual([true, 'queued', 'queued', true, true])
  await until(() => granted.some(({ id }) => id === second.id))
  expect(granted.some(({ id }) => id === third.id)).toBe(false)
})

test('what a call brings about for this client and for others is told, whatever it was made with', async () => {
  const [mine, theirs] = [await open(at(server.url)), await open(at(server.url))]
  const names = ['a', 'b', 'c']
  const held: Request[] = names.map((name) => request(name))
  await Promise.all(held.map((each) => take(mine.session, each)))
  const [own, foreign] = [request('a'), request('c')]
  expect(await mine.session.acquire(own)).toBe('queued')
  expect(await theirs.session.acquire(foreign)).toBe('queued')
  expect(await Promise.all(held.map((each) => mine.session.remove(each)))).toEqual([true, true, true])
  expect(mine.granted.map(({ id }) => id)).toEqual([own.id])
  await until(() => theirs.granted.some(({ id }) => id === foreign.id))
  const robbers = ['a', 'c'].map((name) => request(name, { steal: true }))
  const answers = await Promise.all(robbers.map((each) => mine.session.acquire(each)))
  expect(answers.every(isGrant)).toBe(true)
  expect(mine.lost).toEqual([[own.id, 'stolen']])
  await until(() => theirs.lost.some(([id, how]) => id === foreign.id && how === 'stolen'))
})
