import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { LockError, LockManager } from '@locks/core'
import { systemClock, type Request, type Session } from '@locks/core/backend'
import { type RedisOptions } from '@locks/redis'
import { startCluster, startProxy, startRedis, startSentinel, type RedisServer } from '@locks/testkit'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { at, cleanup, client, open, rejection, request, server, take, until, warnings } from './support.ts'
import { furtherPrivileges, leastPrivilege } from './user.ts'

async function refusal(url: string, rest: RedisOptions = {}, ttl = 10_000): Promise<LockError> {
  const error = await rejection(open(at(url, rest), { ttl }))
  expect(error).toBeInstanceOf(LockError)
  return error as LockError
}

test.for(['allkeys-lru', 'volatile-ttl'])('a server that may evict locks is refused: %s', async (policy) => {
  const { url } = await server({ config: { 'maxmemory-policy': policy, maxmemory: '100mb' } })
  const error = await refusal(url)
  expect(error).toMatchObject({ code: 'UNSUPPORTED', temporary: false })
  expect(error.message).toContain(`maxmemory-policy ${policy}`)
  expect(error.message).toContain('set maxmemory-policy to noeviction')
  await client(url).config('SET', 'maxmemory-policy', 'noeviction')
  await open(at(url))
})

test('a server that is too old is refused', async () => {
  const started = await server()
  const version = /redis_version:(\S+)/.exec(await started.cli('INFO', 'server'))?.[1] ?? ''
  const proxy = await startProxy()
  onTestFinished(() => proxy.end())
  const through = async (fake: string) => {
    const line = await proxy.line({ upstreams: [{ host: '127.0.0.1', port: started.port }], framing: 'resp' })
    await line.rewrite(`redis_version:${version}`, `redis_version:${fake}`)
    return `redis://127.0.0.1:${line.ports[0]}`
  }
  // As long as the version that is there, of which the rest does not matter.
  const old = `6.0.${'9'.repeat(version.length - 4)}`
  const error = await refusal(await through(old))
  expect(error).toMatchObject({ code: 'UNSUPPORTED', temporary: false })
  expect(error.message).toBe(`the Redis server is ${old}; 6.2 or newer is needed`)
  await open(at(await through(`6.2.${'9'.repeat(version.length - 4)}`)))
})

test('a server without an append-only file is warned of, once a backend', async () => {
  const { url } = await server()
  const backend = at(url)
  await Promise.all([open(backend), open(backend)])
  await open(backend)
  expect(warnings.map(({ code }) => code)).toEqual(['REDIS_NOT_PERSISTENT'])
  expect(warnings[0]?.message).toContain('set "appendonly yes"')
  await open(at(url))
  expect(warnings).toHaveLength(2)
})

test('a server that has just been started is said to grant nothing yet, where it does not', async () => {
  const { url } = await server()
  await open(at(url, { restartGrace: true }), { ttl: 60_000 })
  expect(warnings[0]?.message).toMatch(/grants nothing until it has been up for one \(restartGrace=false/)
  await open(at(url), { ttl: 60_000 })
  expect(warnings[1]?.message).not.toContain('grants nothing')
})

test('a server without TLS, asked for it, and what is no Redis server: where to look', async () => {
  const told = async (url: string) => {
    const locks = new LockManager(at(url), { connectTimeout: 2_000 })
    cleanup(() => locks.close())
    return String(await rejection(locks.connect()))
  }
  const { port } = await server()
  expect(await told(`rediss://127.0.0.1:${port}`)).toMatch(/does it want TLS, or none\?$/)
  const stranger = createServer((socket) => socket.end('220 ready\r\n')).listen(0, '127.0.0.1')
  onTestFinished(() => void stranger.close())
  await once(stranger, 'listening')
  const { port: other } = stranger.address() as AddressInfo
  expect(await told(`redis://127.0.0.1:${other}`)).toMatch(/does the address lead to such a server/)
})

test('a server with an append-only file is not warned of', async () => {
  const { url } = await server({ appendonly: true })
  await open(at(url))
  expect(warnings).toEqual([])
})

test('a server of a cluster is refused by whoever takes it for one alone', async () => {
  const { url } = await server({ config: { 'cluster-enabled': 'yes' } })
  const error = await refusal(url)
  expect(error).toMatchObject({ code: 'UNSUPPORTED', temporary: false })
  expect(error.message).toContain('part of a cluster; use redis+cluster:')
})

test.for([
  ['redis+cluster:', '', 'no part of a cluster; use redis:'],
  ['redis+sentinel:', '/main', 'no sentinel; use redis:'],
])('a single server under %s is refused, and not asked again', async ([scheme, path, message]) => {
  const { port } = await server()
  // No call is too late by it: what ends the attempt is the answer.
  const patient = { ...systemClock, after: () => ({ cancel: () => {} }) }
  const error = await rejection(open(at(`${scheme}//127.0.0.1:${port}${path}`), { clock: patient }))
  expect(error).toMatchObject({ code: 'UNSUPPORTED' })
  expect(error.message).toContain(message)
})

test('a replica is refused for now, and says what it is', async () => {
  const master = await server()
  const replica = await server({ config: { replicaof: `127.0.0.1 ${master.port}` } })
  await until(async () => (await replica.cli('INFO', 'replication')).includes('master_link_status:up'))
  const error = await refusal(replica.url)
  expect(error).toMatchObject({ code: 'UNAVAILABLE', temporary: true })
  expect(error.message).toContain('it is a replica')
  await replica.cli('REPLICAOF', 'NO', 'ONE')
  await open(at(replica.url))
})

describe('credentials', () => {
  const users = ['default on >secret ~* &* +@all', `app on >right ~* &* +@all`]
  let guarded: RedisServer
  beforeAll(async () => {
    guarded = await startRedis({ users })
  })
  afterAll(() => guarded.end())

  test.for([
    ['a wrong password', 'app:wrong@', 'it does not know this user and password (WRONGPASS)'],
    ['an unknown user', 'nobody:right@', 'it does not know this user and password (WRONGPASS)'],
    ['a wrong password of the default user', ':wrong@', 'it does not know this user and password (WRONGPASS)'],
    ['no password', '', 'it wants a password (NOAUTH)'],
  ] as const)('%s: refused for good', async ([, userinfo, message]) => {
    const error = await refusal(`redis://${userinfo}127.0.0.1:${guarded.port}`)
    expect(error).toMatchObject({ code: 'UNAVAILABLE', temporary: false })
    expect(error.message).toContain(message)
  })

  test.for(['app:right@', ':secret@'])('%s is let in', async (userinfo) => {
    await open(at(`redis://${userinfo}127.0.0.1:${guarded.port}`))
  })
})

describe('the least-privileged user', () => {
  let guarded: RedisServer
  let admin: Redis
  beforeAll(async () => {
    guarded = await startRedis({ appendonly: true })
    admin = new Redis(guarded.url)
  })
  afterAll(async () => {
    admin.disconnect()
    await guarded.end()
  })

  /** The URL of a user with this rule. */
  async function user(rule: string): Promise<string> {
    await admin.acl('SETUSER', 'app', 'reset', 'on', '>secret', ...rule.split(' '))
    // What it has been seen to do stays in the caches of nobody.
    await admin.script('FLUSH')
    return `redis://app:secret@127.0.0.1:${guarded.port}`
  }

  test('can do all that there is, and tries nothing else', async () => {
    const url = await user(leastPrivilege)
    await admin.acl('LOG', 'RESET')
    const [one, two] = [await open(at(url)), await open(at(url), { ttl: 1_000 })]
    const [first, second] = [request('a'), request('a')]
    await take(one.session, first)
    expect(await two.session.acquire(second)).toBe('queued')
    expect(await two.session.query('a')).toHaveLength(2)
    await one.session.renew([first])
    await one.session.remove(first)
    await until(() => two.granted.length === 1)
    let told = 0
    const unwatch = (await two.session.watch?.('a', () => told++)) as () => void
    await take(one.session, request('a', { steal: true, value: 'led' }))
    await until(() => two.lost.length === 1 && told === 1)
    unwatch()
    await until(async () => (await admin.pubsub('CHANNELS', '*{*')).length === 0)
    // The connection that hears the messages is asked whether it is alive.
    const calls = async () => /cmdstat_ping:calls=(\d+)/.exec(await admin.info('commandstats'))?.[1] ?? '0'
    const before = await calls()
    await until(async () => Number(await calls()) > Number(before) + 1)
    expect(await admin.acl('LOG')).toEqual([])
  })

  test.for([
    ['TIME', '+time', 'may not use TIME with keys like locks:{test/*}'],
    ['HSET', '+hset', 'may not use HSET with keys like locks:{test/*}'],
    ['HGET', '+hget', 'may not use HGET with keys like'],
    ['HMGET', '+hmget', 'may not use HMGET with keys like'],
    ['HGETALL', '+hgetall', 'may not use HGETALL with keys like'],
    ['HDEL', '+hdel', 'may not use HDEL with keys like'],
    ['PTTL', '+pttl', 'may not use PTTL with keys like'],
    ['PEXPIRE', '+pexpire', 'may not use PEXPIRE with keys like'],
    ['PUBLISH', '+publish', 'may not use PUBLISH to channels like locks:client:*'],
    ['EVAL', '+eval', 'may not run EVAL'],
    ['EVALSHA', '+evalsha', 'may not run EVALSHA'],
    ['INFO', '+info', 'INFO'],
    ['SUBSCRIBE', '+subscribe', 'may not run SUBSCRIBE'],
    ['its keys', '~locks:{*', /key/],
    ['its channels', '&locks:client:*', /channel/],
  ] as const)('without %s is refused for good, and the error says so', async ([, item, message]) => {
    const rule = leastPrivilege.split(' ').filter((each) => each !== item)
    expect(rule.length).toBe(leastPrivilege.split(' ').length - 1)
    const error = await refusal(await user(rule.join(' ')))
    expect(error).toMatchObject({ code: 'UNAVAILABLE', temporary: false })
    if (typeof message === 'string') expect(error.message).toContain(message)
    else expect(error.message).toMatch(message)
  })

  test('with the keys of another prefix is refused for good', async () => {
    const url = await user(leastPrivilege)
    const error = await refusal(url, { prefix: 'other' })
    expect(error).toMatchObject({ code: 'UNAVAILABLE', temporary: false })
    expect(error.message).toMatch(/key|channel/)
  })

  test('without SCAN is refused when it wants a list of all names, and not before', async () => {
    const { session } = await open(at(await user(leastPrivilege)))
    const error = await rejection(session.query())
    expect(error).toMatchObject({ code: 'UNAVAILABLE', temporary: false })
    expect(error.message).toContain('may not run SCAN')
    const { session: listing } = await open(at(await user(`${leastPrivilege} ${furtherPrivileges.listing}`)))
    await take(listing, request('a'))
    expect(await listing.query()).toMatchObject([{ name: 'a' }])
  })

  test('without WAIT is refused when replicas are to acknowledge', async () => {
    const error = await refusal(await user(leastPrivilege), { acknowledge: 1 })
    expect(error).toMatchObject({ code: 'UNAVAILABLE', temporary: false })
    expect(error.message).toContain('may not run WAIT')
    await open(at(await user(`${leastPrivilege} ${furtherPrivileges.acknowledge}`), { acknowledge: 1 }))
  })

  test('without SELECT is refused another database', async () => {
    const rule = `${leastPrivilege} ${furtherPrivileges.database}`
    const { session } = await open(at(`${await user(rule)}/1`))
    await take(session, request('b'))
    const error = await refusal(`${await user(leastPrivilege)}/1`)
    expect(error).toMatchObject({ code: 'UNAVAILABLE', temporary: false })
    expect(error.message).toContain('may not run SELECT')
  })
})

async function led(session: Session): Promise<Request> {
  const claim = request('led', { value: 'by one' })
  await take(session, claim)
  return claim
}

/** A user of this rule at all of them, who is refused nothing while a lock goes from hand to hand. */
async function suffices(nodes: readonly RedisServer[], rule: string, url: string): Promise<void> {
  for (const node of nodes) {
    await node.cli('ACL', 'SETUSER', 'app', 'on', '>secret', ...rule.split(' '))
    await node.cli('ACL', 'LOG', 'RESET')
  }
  const [one, two] = [await open(at(url)), await open(at(url))]
  let told = 0
  const unwatch = (await two.session.watch?.('led', () => told++)) as () => void
  await one.session.remove(await led(one.session))
  await until(() => told === 2)
  unwatch()
  for (let i = 0; i < 5; i++) {
    const [first, second] = [request(`${i}`), request(`${i}`)]
    await take(one.session, first)
    expect(await two.session.acquire(second)).toBe('queued')
    await one.session.remove(first)
    await until(() => two.granted.length === i + 1)
  }
  expect(await one.session.query()).toHaveLength(5)
  for (const node of nodes) expect(await node.cli('ACL', 'LOG')).toBe('')
}

test('the least-privileged user of a cluster', async () => {
  const cluster = await startCluster()
  cleanup(() => cluster.end())
  const rule = `${leastPrivilege} ${furtherPrivileges.listing} ${furtherPrivileges.cluster}`
  await suffices(cluster.nodes, rule, `redis+cluster://app:secret@127.0.0.1:${cluster.nodes[0]?.port}`)
})

test('the least-privileged user behind Sentinel', async () => {
  const sentinel = await startSentinel()
  cleanup(() => sentinel.end())
  const rule = `${leastPrivilege} ${furtherPrivileges.listing}`
  const hosts = sentinel.sentinels.map(({ port }) => `127.0.0.1:${port}`).join()
  await suffices(sentinel.nodes, rule, `redis+sentinel://app:secret@${hosts}/${sentinel.name}`)
})

test('a database that the server does not have is refused for good', async () => {
  const { url } = await server({ config: { databases: '2' } })
  const { session } = await open(at(`${url}/1`))
  await take(session, request('a'))
  expect(await client(`${url}/1`).dbsize()).toBe(1)
  const error = await refusal(`${url}/2`)
  expect(error).toMatchObject({ code: 'UNAVAILABLE', temporary: false })
  expect(error.message).toContain('has no database of this number')
})

test('a server that does not answer is unavailable for now, within the time to connect', async () => {
  const { port } = await server()
  const proxy = await startProxy()
  onTestFinished(() => proxy.end())
  const line = await proxy.line({ upstreams: [{ host: '127.0.0.1', port }], framing: 'resp' })
  await line.wire.silence()
  const connectTimeout = 300
  const locks = new LockManager(at(`redis://127.0.0.1:${line.ports[0]}`), { connectTimeout })
  cleanup(() => locks.close())
  for (const call of [() => locks.connect(), () => locks.tryAcquire('a')]) {
    const start = performance.now()
    expect(await rejection(call())).toMatchObject({ code: 'UNAVAILABLE', temporary: true })
    expect((performance.now() - start) / connectTimeout).toBeLessThan(4)
  }
  await line.wire.heal()
  expect(await locks.acquire('a')).toMatchObject({ held: true })
})

test('a host that refuses connections is unavailable for now', async () => {
  const started = await server()
  await started.kill()
  const error = await refusal(started.url)
  expect(error).toMatchObject({ code: 'UNAVAILABLE', temporary: true })
  expect(error.message).toMatch(/cannot be reached: ECONNREFUSED: nothing listens there; is it started/)
})
