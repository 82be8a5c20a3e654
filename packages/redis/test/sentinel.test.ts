import { LockError } from '@locks/core'
import { encodeName, systemClock } from '@locks/core/backend'
import { redis, type RedisOptions } from '@locks/redis'
import { startSentinel, type RedisServer } from '@locks/testkit'
import type { Redis } from 'ioredis'
import { afterAll, expect, test } from 'vitest'
import { clientOf, hangUp, keepConnected } from '../src/connect.ts'
import { settingsFromUrl, type Location } from '../src/options.ts'
import { cleanup, open, present, queued, settled, unhandledRejections, until } from './fixtures.ts'

const deployment = await startSentinel()
afterAll(() => deployment.end())

const hosts = deployment.sentinels.map(({ port }) => `127.0.0.1:${port}`).join()
const url = `redis+sentinel://${hosts}/${deployment.name}?restartGrace=false`

const client = (ttl: number, options: RedisOptions = {}) => open(redis({ url, ...options }), { ttl })

const fates = {
  killed: {
    befall: (master: RedisServer) => master.kill(),
    recover: (master: RedisServer) => master.start(),
  },
  stopped: {
    befall: (master: RedisServer) => master.stop(),
    recover: (master: RedisServer) => master.continue(),
  },
}

test('a client that the driver gives up while it connects is connected again', async () => {
  const driver = clientOf(settingsFromUrl(url).target as Location, 1_000) as Redis
  cleanup(() => hangUp(driver))
  await driver.connect()
  keepConnected(driver, systemClock)
  const states: string[] = []
  for (const state of ['connecting', 'end', 'ready']) driver.on(state, () => states.push(state))
  // What the driver's failover detector does when it hears of the failover in this moment.
  driver.once('connecting', () => (driver as unknown as { connector: { disconnect(): void } }).connector.disconnect())
  driver.disconnect(true)
  await until('it is ready again', () => states.includes('ready'))
  expect(states).toEqual(['connecting', 'end', 'connecting', 'ready'])
})

test.for(Object.entries(fates))(
  'a master that is %s is replaced, and nobody notices more than a pause',
  async (fate) => {
    const [what, { befall, recover }] = fate
    const unhandled = unhandledRejections()
    const former = await deployment.master()
    const [holder, waiter] = [await client(10_000), await client(10_000)]
    const brief = await client(1_000)
    const lock = await holder.acquire('kept')
    const waiting = waiter.acquire('kept')
    await queued(holder, 'kept', 1)
    const short = await brief.acquire('short')
    await replicated()

    let isDown = true
    await befall(former)
    cleanup(() => isDown && recover(former))
    const began = performance.now()
    const renewedUpTo = lock.expiresAt
    const requested = holder.acquire('requested meanwhile').then(async (granted) => {
      const after = performance.now() - began
      await granted.release()
      return after
    })
    const successor = await deployment.promoted(former)
    const promoted = performance.now() - began
    const requestedAfter = await requested
    const newcomer = await client(10_000)
    const fresh = await newcomer.acquire('new')
    const servedAfter = performance.now() - began
    console.log(
      `master ${what}: successor known after ${promoted.toFixed()} ms, a request of the meantime granted after` +
        ` ${requestedAfter.toFixed()} ms, one of a new client after ${servedAfter.toFixed()} ms`,
    )
    expect(requestedAfter).toBeLessThan(promoted + 2_000)
    await fresh.release()

    // What was replicated is renewed at the successor, and its queue with it.
    await until('it is renewed', () => lock.expiresAt > renewedUpTo)
    expect(lock.held).toBe(true)
    expect((await newcomer.query('kept')).held).toMatchObject([{ token: lock.token }])
    expect((await newcomer.query('kept')).pending).toHaveLength(1)
    // Of a lease that is shorter than the pause, its holder is told. Unless it is: then it has it.
    if (short.held) expect((await newcomer.query('short')).held).toMatchObject([{ token: short.token }])
    else expect(short.signal.reason).toMatchObject({ code: 'LOST' })
    const again = await brief.acquire('short again')
    expect(again.token).toBeGreaterThan(short.token)
    await again.release()
    await short.release()

    await expect(lock.release()).resolves.toBe('released')
    const next = await waiting
    expect(next.held).toBe(true)
    expect(next.token).toBeGreaterThan(lock.token)

    await recover(former)
    isDown = false
    await deployment.ready()
    expect(await former.cli('ROLE')).toMatch(/^slave/)
    await until('no client is left at the former master', async () => {
      return !(await former.cli('CLIENT', 'LIST')).includes('name=@locks/redis')
    })
    expect(await successor.cli('CLIENT', 'LIST')).toContain('name=@locks/redis')
    const managers = [holder, waiter, brief, newcomer]
    for (const locks of managers) await (await locks.acquire('afterwards', { timeout: 2_000 })).release()
    expect(next.held).toBe(true)
    await expect(next.release()).resolves.toBe('released')
    await Promise.all(managers.map((locks) => locks.close()))
    expect(await (await client(1_000)).query()).toEqual({ held: [], pending: [] })
    expect(unhandled).toEqual([])
  },
)

const acknowledge = { acknowledge: 1, acknowledgeTimeout: 200 }

test('a lock that no replica confirms is given back, and the caller told why', async () => {
  const locks = await client(2_000, acknowledge)
  const plain = await client(2_000)
  const confirmed = await locks.acquire('confirmed')
  expect(confirmed.held).toBe(true)
  await confirmed.release()

  await stopReplica()
  const timed = await settled(locks.acquire('unconfirmed', { timeout: 1_000 }))
  expect(timed).toMatchObject({ error: { code: 'TIMEOUT' } })
  expect(timed.after).toBeLessThan(2_000)
  expect(causes(timed.error)).toContainEqual(expect.stringContaining('too few replicas'))
  await until('nobody has it', async () => (await present(plain, 'unconfirmed')) === 0, 1_000)
  const tried = await settled(locks.tryAcquire('tried'))
  expect(LockError.find(tried.error)).toMatchObject({ temporary: true })
  const free = await plain.tryAcquire('unconfirmed')
  expect(free?.held).toBe(true)
  await free?.release()
})

test('a waiter whose grant no replica confirms is none that holds, until one does', async () => {
  const locks = await client(3_000, acknowledge)
  const plain = await client(3_000)
  const lock = await plain.acquire('handed over')
  let granted = false
  const waiting = locks.acquire('handed over').finally(() => (granted = true))
  await queued(plain, 'handed over', 1)
  const resume = await stopReplica()
  await lock.release()
  // It is granted at the master again and again, which shows by the tokens, and given back each time.
  const master = await deployment.master()
  const tokens = new Set<string>()
  await until('it has been granted and given back several times', async () => {
    tokens.add(await master.cli('HGET', `locks:{locks/${encodeName('handed over')}}`, 't'))
    return tokens.size > 4
  })
  expect(granted).toBe(false)
  await resume()
  const mine = await waiting
  expect(mine.held).toBe(true)
  expect((await plain.query('handed over')).held).toMatchObject([{ token: mine.token }])
  await mine.release()
})

test('a lock that a replica has confirmed survives the master', async () => {
  const locks = await client(15_000, acknowledge)
  const former = await deployment.master()
  const lock = await locks.acquire('survives')
  let isDown = true
  await former.kill()
  cleanup(() => isDown && former.start())
  await deployment.promoted(former)
  const plain = await client(15_000)
  expect((await plain.query('survives')).held).toMatchObject([{ token: lock.token }])
  expect(await plain.tryAcquire('survives')).toBeNull()
  const before = lock.expiresAt
  await former.start()
  isDown = false
  await deployment.ready()
  await until('a renewal is confirmed too', () => lock.expiresAt > before)
  expect(lock.held).toBe(true)
  await lock.release()
})

/** Stops the replica until the test is over or what is returned is called. */
async function stopReplica(): Promise<() => Promise<void>> {
  const replica = await deployment.replica()
  await replica.stop()
  cleanup(() => replica.continue())
  return () => replica.continue()
}

/** Waits until the replica has what the master has now. */
async function replicated(): Promise<void> {
  const offset = async (server: RedisServer) =>
    Number(/^master_repl_offset:(\d+)/m.exec(await server.cli('INFO', 'replication'))?.[1])
  const [master, replica] = [await deployment.master(), await deployment.replica()]
  const reached = await offset(master)
  await until('the replica has it', async () => (await offset(replica)) >= reached)
}

function causes(error: unknown): string[] {
  const messages: string[] = []
  for (let at = error; at instanceof Error; at = at.cause) messages.push(at.message)
  return messages
}
