import { afterAll, beforeAll, expect, test } from 'vitest'
import { startCluster, type RedisCluster } from '../../src/index.ts'
import { isRunning } from '../owned.ts'

let redis: RedisCluster
beforeAll(async () => {
  redis = await startCluster()
})
afterAll(() => redis.end())

test('three masters with all slots between them, and one replica each', async () => {
  const masters = await redis.masters()
  expect(masters).toHaveLength(3)
  expect(new Set([...masters, ...masters.map((master) => redis.replicaOf(master))])).toEqual(new Set(redis.nodes))
  expect(new Set(await Promise.all([0, 8_000, 16_383].map((slot) => redis.masterOf(slot))))).toEqual(new Set(masters))
})

test('the master of a key takes it, and its replica follows', async () => {
  const master = await redis.masterOf('a')
  expect(await master.cli('SET', 'a', 'b')).toBe('OK')
  expect(await master.cli('WAIT', '1', '5000')).toBe('1')
  const [other] = (await redis.masters()).filter((each) => each !== master)
  await expect(other?.cli('SET', 'a', 'b')).rejects.toThrow('MOVED')
  expect(await redis.replicaOf(master).cli('-c', 'GET', 'a')).toBe('b')
})

test.for(['kill', 'stop'] as const)(
  '%s: the replica takes over, and the old master becomes its replica',
  async (how) => {
    const former = await redis.masterOf('a')
    await former[how]()
    const next = await redis.promoted(former)
    expect(next).toBe(redis.replicaOf(former))
    expect(await redis.masterOf('a')).toBe(next)
    expect(await next.cli('SET', 'a', how)).toBe('OK')
    await (how === 'kill' ? former.restart() : former.continue())
    await redis.ready()
    expect(await redis.masterOf('a')).toBe(next)
    expect(await former.cli('ROLE')).toMatch(/^slave\n/)
  },
)

test('end leaves no process', async () => {
  const pids = redis.nodes.map(({ pid }) => pid)
  expect(pids.filter(isRunning)).toHaveLength(6)
  await redis.end()
  expect(pids.filter(isRunning)).toEqual([])
})
