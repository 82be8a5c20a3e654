import { afterAll, beforeAll, expect, test } from 'vitest'
import { startSentinel, type RedisSentinel } from '../../src/index.ts'
import { isRunning } from '../owned.ts'

let redis: RedisSentinel
beforeAll(async () => {
  redis = await startSentinel()
})
afterAll(() => redis.end())

test('a master and a replica that follows it', async () => {
  const [master, replica] = [await redis.master(), await redis.replica()]
  expect(new Set([master, replica])).toEqual(new Set(redis.nodes))
  expect(redis.sentinels).toHaveLength(3)
  await master.cli('SET', 'a', 'b')
  expect(await master.cli('WAIT', '1', '5000')).toBe('1')
  expect(await replica.cli('GET', 'a')).toBe('b')
})

test.for(['kill', 'stop'] as const)(
  '%s: the replica takes over, and the old master becomes its replica',
  async (how) => {
    const former = await redis.master()
    await former[how]()
    const next = await redis.promoted(former)
    expect(next).not.toBe(former)
    expect(await redis.master()).toBe(next)
    expect(await next.cli('SET', 'how', how)).toBe('OK')
    await (how === 'kill' ? former.restart() : former.continue())
    await redis.ready()
    expect(await redis.replica()).toBe(former)
    expect(await former.cli('GET', 'how')).toBe(how)
  },
)

test('end leaves no process', async () => {
  const pids = [...redis.nodes, ...redis.sentinels].map(({ pid }) => pid)
  expect(pids.filter(isRunning)).toHaveLength(5)
  await redis.end()
  expect(pids.filter(isRunning)).toEqual([])
})
