import { LockManager, type Lock } from '@locks/core'
import { memory } from '@locks/core/memory'
import { etcd, EtcdGuard } from '@locks/etcd'
import { startEtcd } from '@locks/testkit'
import { Etcd3 } from 'etcd3'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { cleanup, open, settled, startProgram, until } from './fixtures.ts'
import { countIn, type Read, type Written } from './late.ts'
import { leastPrivilege } from './user.ts'

const server = await startEtcd()
const client = new Etcd3({ hosts: `http://127.0.0.1:${server.port}` })
const guard = new EtcdGuard(client)
afterAll(async () => {
  client.close()
  await server.end()
})
beforeEach(() => client.put('count').value(0))

const locksAt = (namespace?: string, handover?: 'local') =>
  open(etcd({ url: server.url }), { ttl: 10_000, namespace, handover })
const put = (count: number) => client.put('count').value(count)

test('a holder that is stopped past its ttl is refused, although the next one has not written yet', async () => {
  const late = startProgram(new URL('./late.ts', import.meta.url), server.url)
  const read = (await late.said()) as Read
  late.process.kill('SIGSTOP')
  const lock = await (await locksAt()).acquire('count')
  expect(lock.token).toBeGreaterThan(BigInt(read.token))
  const count = await countIn(client)
  late.next()
  late.process.kill('SIGCONT')
  expect((await late.said()) as Written).toEqual({ held: false, refused: 'LOST', succeeded: false })
  expect(await countIn(client)).toBe(0)
  await guard.commit(lock, put(count + 1))
  expect(await countIn(client)).toBe(1)
  // What it would have done without the guard: the next one's update is undone, or lost.
  await guard.commit(lock, put(2))
  late.next()
  expect(await late.said()).toBe('written')
  expect(await countIn(client)).toBe(1)
})

describe('a transaction takes place', () => {
  test('as often as the holder wants, with what it reads in the same step', async () => {
    const lock = await (await locksAt()).acquire('a')
    await guard.commit(lock, put(1))
    const { responses } = await guard.commit(lock, put(2), { request_range: { key: Buffer.from('count') } })
    expect(responses[1]?.response_range.kvs[0]?.value.toString()).toBe('2')
    expect((await guard.commit(lock)).succeeded).toBe(true)
  })

  test('under further conditions, which are no loss of the lock', async () => {
    const lock = await (await locksAt()).acquire('a')
    const under = (count: string) => guard.if(lock).and('count', 'Value', '==', count).then(put(5)).commit()
    expect((await under('7')).succeeded).toBe(false)
    expect(await countIn(client)).toBe(0)
    expect((await under('0')).succeeded).toBe(true)
    expect(await countIn(client)).toBe(5)
  })

  test('for readers beside each other', async () => {
    const locks = await locksAt()
    const readers = [await locks.acquire('a', { mode: 'shared' }), await locks.acquire('a', { mode: 'shared' })]
    for (const [at, reader] of readers.entries()) await guard.commit(reader, put(at))
    await readers[0]?.release()
    await guard.commit(readers[1] as Lock, put(7))
    expect((await settled(guard.commit(readers[0] as Lock, put(8)))).error).toMatchObject({ code: 'RELEASED' })
    expect(await countIn(client)).toBe(7)
  })

  test('for one that has waited, and holds under another key than it waited under', async () => {
    const locks = await locksAt()
    const first = await locks.acquire('a')
    const second = (await locksAt()).acquire('a')
    await until('it waits', async () => (await locks.query('a')).pending.length === 1)
    await first.release()
    await guard.commit(await second, put(1))
    expect(await countIn(client)).toBe(1)
  })

  test('for a set as long as all of it is there, and for names and namespaces of any kind', async () => {
    const locks = await locksAt('a/b {c}')
    const names = ['x'.repeat(500), 'a/b', '']
    const set = await locks.acquireAll(names)
    await guard.commit(set, put(1))
    // Somebody frees one of the names by hand.
    for (const key of await server.keys()) if (key.includes('/a_2fb/')) await client.delete().key(key)
    expect((await settled(guard.commit(set, put(2)))).error).toMatchObject({ code: 'LOST' })
    expect(await countIn(client)).toBe(1)
  })
})

describe('nothing takes place', () => {
  test('for one that was robbed, before it knows', async () => {
    const lock = await (await locksAt()).acquire('a')
    const thief = await (await locksAt()).acquire('a', { steal: true })
    expect((await settled(guard.commit(lock, put(1)))).error).toMatchObject({ code: 'LOST' })
    await guard.commit(thief, put(2))
    expect(await countIn(client)).toBe(2)
  })

  test('for one whose key has been deleted and who still believes in it', async () => {
    const lock = await (await locksAt()).acquire('a')
    const [key] = (await server.keys()).filter((each) => each.includes('/a/'))
    await client.delete().key(key ?? '')
    expect(lock.held).toBe(true)
    const { error } = await settled(guard.commit(lock, put(1)))
    expect(error).toMatchObject({ code: 'LOST', reason: 'gone', temporary: true })
    // Nor if somebody puts it back.
    await client.put(key ?? '').value('')
    expect((await settled(guard.commit(lock, put(1)))).error).toMatchObject({ code: 'LOST' })
    await client.delete().key(key ?? '')
    expect(await countIn(client)).toBe(0)
  })

  test('for a permit, for what may be handed on, for locks of another store, for what is none, and by what is no client', async () => {
    const permit = await (await locksAt()).acquire('pool', { permits: 2 })
    expect(() => guard.if(permit)).toThrow(expect.objectContaining({ code: 'UNSUPPORTED' }))
    const handed = await (await locksAt(undefined, 'local')).acquire('handed')
    expect(() => guard.if(handed)).toThrow(/outlives its holder where a manager has `handover: 'local'`/)
    const others = new LockManager(memory())
    cleanup(() => others.close())
    const foreign = await others.acquire('a')
    for (const wrong of [foreign, { token: 5n, mode: 'exclusive' }, undefined]) {
      const error = expect.objectContaining({ code: 'INVALID_ARGUMENT' })
      expect(() => guard.if(wrong as Lock)).toThrow(error)
    }
    expect(() => guard.if(foreign)).toThrow(/takes a lock, or a set, of a LockManager on etcd/)
    expect(() => new EtcdGuard(client.namespace('a') as Etcd3)).toThrow(/takes an Etcd3 client; got an object/)
  })
})

test('what a user needs for it', async () => {
  const users = [
    { name: 'locks', password: 'a', permissions: leastPrivilege },
    {
      name: 'app',
      password: 'b',
      permissions: [
        { access: 'read', prefix: 'locks/' },
        { access: 'readwrite', prefix: 'count' },
      ],
    },
  ] as const
  const secured = await startEtcd({ users })
  cleanup(() => secured.end())
  const lock = await (await open(etcd({ url: `etcd://locks:a@127.0.0.1:${secured.port}` }))).acquire('a')
  const auth = { username: 'app', password: 'b' }
  const theirs = new Etcd3({ hosts: `http://127.0.0.1:${secured.port}`, auth })
  cleanup(() => theirs.close())
  await new EtcdGuard(theirs).commit(lock, theirs.put('count').value(1))
  expect(await countIn(theirs)).toBe(1)
})
