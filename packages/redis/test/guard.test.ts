import { LockManager, type Bearer, type Lock } from '@locks/core'
import { redis, RedisGuard } from '@locks/redis'
import { startCluster, startRedis } from '@locks/testkit'
import { compareWithRule, startProgram } from '@locks/testkit/fixtures'
import { Cluster, type Redis } from 'ioredis'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { set, type Read, type Written } from './late.ts'
import { cleanup, client, rejection, server } from './support.ts'

const started = await startRedis()
afterAll(() => started.end())

let mine: Redis
let guard: RedisGuard
beforeEach(async () => {
  mine = client(started.url)
  await mine.flushall()
  guard = new RedisGuard(mine, '{count}:fence')
})

const exclusive = (token: bigint): Bearer => ({ token, mode: 'exclusive' })
const shared = (token: bigint): Bearer => ({ token, mode: 'shared' })

function locksAt(url: string): LockManager {
  const locks = new LockManager(redis({ url, restartGrace: false }))
  cleanup(() => locks.close())
  return locks
}

describe('a holder that is stopped between its read and its write, past its ttl', () => {
  /** Has another holder take over and read, which begins as it is told; then wakes the first, and lets both write. */
  async function play(begin: (lock: Lock) => Promise<void>) {
    const late = startProgram(new URL('./late.ts', import.meta.url), started.url)
    const read = (await late.said()) as Read
    late.process.kill('SIGSTOP')
    const lock = await locksAt(started.url).acquire('count')
    expect(lock.token).toBeGreaterThan(BigInt(read.token))
    await begin(lock)
    const count = Number(await mine.get('{count}'))
    late.next()
    late.process.kill('SIGCONT')
    const written = (await late.said()) as Written
    await guard.run(lock, set, { keys: ['{count}'], args: [count + 1] })
    return { written, count: Number(await mine.get('{count}')) }
  }

  test('is refused once the next one has entered, before that has written anything', async () => {
    expect(await play((lock) => guard.enter(lock))).toEqual({
      written: { held: false, refused: { code: 'LOST', reason: 'fenced' } },
      count: 1,
    })
  })

  test('writes, and its update is lost, if the next one only comes to write', async () => {
    expect(await play(async () => {})).toEqual({ written: { held: false, refused: null }, count: 1 })
  })
})

describe('a guarded script', () => {
  test('is given its own keys and arguments, and its answer is the answer', async () => {
    const answer = `return { #KEYS, #ARGV, KEYS[1], KEYS[2], ARGV[1], ARGV[2], ARGV[3] }`
    const input = { keys: ['{count}', '{count}:b'], args: ['x', 7, Buffer.from('y')] }
    expect(await guard.run(exclusive(5n), answer, input)).toEqual([2, 3, '{count}', '{count}:b', 'x', '7', 'y'])
    expect(await guard.run(exclusive(5n), answer)).toEqual([0, 0])
  })

  test('does not begin where a newer holder has been, and leaves no trace', async () => {
    await guard.enter(shared(7n))
    const late = guard.run(exclusive(5n), set, { keys: ['{count}'], args: [1] })
    expect(await rejection(late)).toMatchObject({ code: 'LOST', reason: 'fenced', temporary: true })
    expect(await mine.keys('*')).toEqual(['{count}:fence'])
    expect(await mine.hgetall('{count}:fence')).toEqual({ newest: '7' })
    expect(await mine.pttl('{count}:fence')).toBe(-1)
    await guard.enter(shared(6n))
  })

  test('that fails on its own fails with the error of the client', async () => {
    const error = await rejection(
      guard.run(exclusive(5n), `return redis.call('INCR', KEYS[1])`, { keys: ['{count}:fence'] }),
    )
    expect(error).toMatchObject({ name: 'ReplyError', message: expect.stringContaining('WRONGTYPE') })
  })

  test('is known to the server after its first run, and sent again where that has forgotten it', async () => {
    await guard.run(exclusive(5n), 'return 1')
    await mine.script('FLUSH')
    expect(await guard.run(exclusive(5n), 'return 1')).toBe(1)
    await mine.config('RESETSTAT')
    expect(await guard.run(exclusive(5n), 'return 1')).toBe(1)
    const stats = await mine.info('commandstats')
    expect(stats).toContain('cmdstat_evalsha:')
    expect(stats).not.toContain('cmdstat_eval:')
  })

  test('and its check have one key prefix of the client', async () => {
    const prefixed = mine.duplicate({ keyPrefix: 'app:' })
    cleanup(() => prefixed.disconnect())
    await new RedisGuard(prefixed, 'fence').run(exclusive(5n), set, { keys: ['count'], args: [1] })
    expect((await mine.keys('*')).toSorted()).toEqual(['app:count', 'app:fence'])
  })
})

test('the rule is that of core, also for tokens beyond 2^53 and 2^64', async () => {
  const { differences, refused } = await compareWithRule((bearer) => guard.enter(bearer))
  expect(differences).toEqual([])
  expect(refused).toBeGreaterThan(50)
  expect(refused).toBeLessThan(350)
})

test('permits are refused, and what is no client or no key', async () => {
  const permit = await locksAt(started.url).acquire('pool', { permits: 2 })
  expect(await rejection(guard.enter(permit))).toMatchObject({ code: 'UNSUPPORTED' })
  expect(await mine.keys('{count}*')).toEqual([])
  expect(() => new RedisGuard({} as Redis, 'a')).toThrow(/takes an ioredis Redis or Cluster; got an object/)
  expect(() => new RedisGuard(mine, '')).toThrow(/takes the key of its hash; got ""/)
})

test('what a user needs for it', async () => {
  const at = await server()
  await at.cli(
    'ACL',
    'SETUSER',
    'app',
    'on',
    'nopass',
    '~{count}*',
    '-@all',
    '+eval',
    '+evalsha',
    '+hmget',
    '+hset',
    '+set',
    '+info',
  )
  const url = new URL(at.url)
  url.username = 'app'
  url.password = 'any'
  await new RedisGuard(client(url.href), '{count}:fence').run(exclusive(5n), set, { keys: ['{count}'], args: [1] })
  expect(await at.cli('GET', '{count}')).toMatch(/^1/)
})

test('in a cluster the check goes where the keys are', async () => {
  const cluster = await startCluster()
  cleanup(() => cluster.end())
  const theirs = new Cluster(cluster.nodes.map(({ port }) => ({ host: '127.0.0.1', port })))
  cleanup(() => theirs.disconnect())
  for (const name of ['a', 'b', 'c']) {
    const each = new RedisGuard(theirs, `{${name}}:fence`)
    await each.run(exclusive(6n), set, { keys: [`{${name}}`], args: [1] })
    expect(await rejection(each.enter(exclusive(5n)))).toMatchObject({ code: 'LOST', reason: 'fenced' })
    expect(await theirs.get(`{${name}}`)).toBe('1')
  }
})
