import { encodeName, systemClock, systemRandom, type Grant, type Request } from '@locks/core/backend'
import { etcd } from '@locks/etcd'
import { startEtcd, startProxy } from '@locks/testkit'
import { afterAll, expect, test } from 'vitest'
import { cleanup, urlOf } from './fixtures.ts'

const server = await startEtcd()
const proxy = await startProxy()
afterAll(async () => {
  await proxy.end()
  await server.end()
})

/** A session, below the manager that would keep calls about a name apart, and how many requests it has sent. */
async function connect() {
  const line = await proxy.line({ upstreams: [{ host: '127.0.0.1', port: server.port }], framing: 'grpc' })
  cleanup(() => line.close())
  const session = await etcd({ url: urlOf(...line.ports) }).open({
    namespace: 'bundles',
    clientId: systemRandom.id(),
    owner: 'tester',
    // No renewal comes in between.
    ttl: 60_000,
    clock: systemClock,
    random: systemRandom,
    events: { granted: () => {}, lost: () => {} },
  })
  cleanup(() => session.close())
  const requestsOf = async <T>(call: () => Promise<T>): Promise<readonly [T, number]> => {
    const before = await line.wire.sent()
    return [await call(), (await line.wire.sent()) - before] as const
  }
  return { session, requestsOf }
}

const request = (name: string, more: Partial<Request> = {}): Request => ({
  id: systemRandom.id(),
  names: [encodeName(name)],
  mode: 'exclusive',
  wait: true,
  steal: false,
  ...more,
})

const isGrant = (answer: unknown): answer is Grant => typeof answer === 'object' && answer !== null

test('names that are asked for and let go in one tick take a request for 32 of them', async () => {
  const { session, requestsOf } = await connect()
  const first = request('first')
  await session.acquire(first)
  await session.remove(first)
  const wanted = Array.from({ length: 64 }, (_, at) => request(`many ${at}`))
  const [answers, asked] = await requestsOf(() => Promise.all(wanted.map((each) => session.acquire(each))))
  expect(answers.every(isGrant)).toBe(true)
  // Two, and what the session asks for of itself.
  expect(asked).toBeLessThanOrEqual(4)
  const [found, removed] = await requestsOf(() => Promise.all(wanted.map((each) => session.remove(each))))
  expect(found).toEqual(wanted.map(() => true))
  expect(removed).toBeLessThanOrEqual(4)
})

test('what goes together has an outcome each', async () => {
  const [a, b] = [await connect(), await connect()]
  await a.session.acquire(request('held'))
  await a.session.acquire(request('semaphore', { mode: 'permit', permits: 3, weight: 1 }))
  const wanted = [
    request('free'),
    request('held'),
    request('held too', { wait: false }),
    request('semaphore'),
    request('semaphore of three', { mode: 'permit', permits: 3, weight: 2 }),
  ]
  await a.session.acquire(request('held too'))
  const outcomes = await Promise.allSettled(wanted.map((each) => b.session.acquire(each)))
  const words = outcomes.map((each) => {
    if (each.status === 'rejected') return String((each.reason as { code?: unknown }).code)
    return isGrant(each.value) ? 'granted' : each.value
  })
  expect(words).toEqual(['granted', 'queued', null, 'INVALID_ARGUMENT', 'granted'])
})

test('calls about one name in one tick are apart', async () => {
  const { session } = await connect()
  const wanted = Array.from({ length: 4 }, () => request('one'))
  const answers = await Promise.all(wanted.map((each) => session.acquire(each)))
  expect(answers.filter(isGrant)).toHaveLength(1)
  expect(answers.filter((each) => each === 'queued')).toHaveLength(3)
  expect(await Promise.all(wanted.map((each) => session.remove(each)))).toEqual(wanted.map(() => true))
  expect(await session.query(encodeName('one'))).toEqual([])
})

test('long names and values do not make a request longer than the server takes', async () => {
  const { session } = await connect()
  const wanted = Array.from({ length: 32 }, (_, at) => {
    return request(`${'名'.repeat(5_000)} ${at}`, { value: '\u0001'.repeat(4_096) })
  })
  const answers = await Promise.all(wanted.map((each) => session.acquire(each)))
  expect(answers.every(isGrant)).toBe(true)
})
