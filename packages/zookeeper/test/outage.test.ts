import { setTimeout as sleep } from 'node:timers/promises'
import { LockError, type Lock, type LockManager } from '@locks/core'
import { startProxy, startZookeeper } from '@locks/testkit'
import { afterAll, expect, test } from 'vitest'
import {
  chance,
  cleanup,
  ending,
  nothing,
  nothingIsLeftAt,
  open,
  queued,
  settled,
  unhandled,
  until,
  urlOf,
} from './fixtures.ts'

// What a session leaves that has ended without having said so, the server deletes.
const server = await startZookeeper({ tidies: 500 })
const proxy = await startProxy()
afterAll(async () => {
  await proxy.end()
  await server.end()
})

const ttl = 1_500
const connectTimeout = 1_000
const timeout = 600
/** The longest time for which the test of an outage lets it last beyond all that it waits for: nothing may depend on it. */
const onTop = ttl / 2

const client = (options = {}) => open(urlOf(server.port), { ttl, connectTimeout, ...options })

const outages = {
  'stopped and goes on': { begin: () => server.stop(), end: () => server.continue() },
  'killed and started again': { begin: () => server.kill(), end: () => server.start() },
}

test.for(Object.entries(outages))('a server that is %s after more than a ttl', async ([, outage]) => {
  const seen = unhandled()
  const [holder, waiter, other] = [await client(), await client(), await client()]
  const lock = await holder.acquire('held')
  const waiting = waiter.acquire('held')
  await queued(other, 'held', 1)
  await outage.begin()
  const end = ending(outage.end)
  const began = performance.now()

  const timed = settled(other.acquire('free', { timeout }))
  const tried = settled(other.tryAcquire('also free'))
  const asked = settled(other.query('held'))
  // Nothing is read of the lock but its deadline, so that the first question after it finds the answer.
  await until('the deadline is past', () => performance.now() > lock.expiresAt)
  expect(lock.expiresAt).toBeLessThanOrEqual(began + ttl)
  expect(lock.held).toBe(false)
  expect(() => lock.assertHeld()).toThrow(expect.objectContaining({ code: 'LOST', reason: 'expired' }))
  expect(lock.signal.aborted).toBe(true)
  expect(await timed).toMatchObject({ error: { code: 'TIMEOUT' } })
  expect((await timed).after).toBeLessThan(timeout + 1_000)
  for (const { error, after } of [await tried, await asked]) {
    expect(LockError.find(error)).toMatchObject({ temporary: true })
    expect(after).toBeLessThan(connectTimeout + 500)
  }
  await until('it has lasted', () => performance.now() > began + ttl + onTop)
  await expect(lock.release()).resolves.toBe('lost')

  await end()
  const back = performance.now()
  const granted = await waiting
  const served = performance.now() - back
  expect(granted.held).toBe(true)
  expect(granted.token).toBeGreaterThan(lock.token)
  for (const locks of [holder, waiter, other]) {
    const fresh = await locks.acquire('free', { timeout: 5_000 })
    await fresh.release()
  }
  await granted.release()
  console.log(`a waiter was served ${served.toFixed()} ms after the outage`)
  await Promise.all([holder, waiter, other].map((locks) => locks.close()))
  await nothingIsLeftAt(server)
  expect(seen).toEqual(nothing)
})

test('a server that is killed and started again within the ttl costs no lock and no place in the queue', async () => {
  const seen = unhandled()
  const clients = [await client({ ttl: 8_000 }), await client({ ttl: 8_000 }), await client({ ttl: 8_000 })] as const
  const [holder, waiter, other] = clients
  const lock = await holder.acquire('kept')
  const order: string[] = []
  const note = (who: string) => (granted: Lock) => {
    order.push(who)
    return granted.release()
  }
  const first = waiter.acquire('kept').then(note('first'))
  await queued(other, 'kept', 1)
  const second = other.acquire('kept').then(note('second'))
  await queued(other, 'kept', 2)
  const before = lock.expiresAt
  await server.restart()
  await until('it is renewed', () => lock.expiresAt > before + 1_000)
  expect(lock.held).toBe(true)
  await expect(lock.release()).resolves.toBe('released')
  await expect(Promise.all([first, second])).resolves.toEqual(['released', 'released'])
  expect(order).toEqual(['first', 'second'])
  await Promise.all(clients.map((locks) => locks.close()))
  await nothingIsLeftAt(server)
  expect(seen).toEqual(nothing)
})

test('answers that end in the middle of a frame, again and again, cost no lock and no process', async () => {
  const seen = unhandled()
  const line = await proxy.line({ upstreams: [{ host: '127.0.0.1', port: server.port }], framing: 'zookeeper' })
  cleanup(() => line.close())
  const locks = await open(urlOf(line.ports[0] ?? 0), { ttl: 3_000 })
  const lock = await locks.acquire('kept')
  for (let round = 0; round < 20; round++) {
    await line.cutInFrame()
    const other = await locks.acquire(`other ${round % 3}`, { timeout: 5_000 })
    await expect(other.release()).resolves.toBe('released')
    // The entries of other rounds may still be on their way out: nobody else has them.
    expect(lock.held).toBe(true)
  }
  await expect(lock.release()).resolves.toBe('released')
  await locks.close()
  await nothingIsLeftAt(server)
  expect(seen).toEqual(nothing)
})

/** What befalls the line of the first client at a moment by chance. */
const faults = ['dropAnswers', 'cutInFrame', 'reset', 'silence', 'deafen'] as const

test.for([1, 2, 3])('no client is kept out by its own lock when answers do not arrive (seed %i)', async (seed) => {
  const shortest = 1_000
  const rounds = 12
  const random = chance(seed)
  const seen = unhandled()
  const line = await proxy.line({ upstreams: [{ host: '127.0.0.1', port: server.port }], framing: 'zookeeper' })
  cleanup(() => line.close())
  // So that what befalls the line befalls requests and answers that are under way.
  await line.slow(2)
  const first = await open(urlOf(line.ports[0] ?? 0), { ttl: shortest, connectTimeout })
  const second = await client({ ttl: shortest })
  const tokens: bigint[] = []
  let [longestBlocked, failures, hits] = [0, 0, 0]
  const holding = new Map<LockManager, Lock>()

  /** Takes note of a lock, and is the proof that nobody else has it. */
  async function use(locks: LockManager, lock: Lock): Promise<void> {
    const rivals = [...holding].filter(([other]) => other !== locks).map(([, rival]) => rival)
    if (lock.held) expect(rivals.filter(({ held }) => held)).toEqual([])
    holding.set(locks, lock)
    tokens.push(lock.token)
    await sleep(random() * 4)
    expect(rivals.filter(({ held }) => held && lock.held)).toEqual([])
    await lock.release()
  }

  for (let round = 0; round < rounds; round++) {
    const fault = faults[Math.floor(random() * faults.length)] ?? 'reset'
    const [delay, length] = [random() * 8, random() ** 3 * 1.2 * shortest]
    const alone = random() < 0.5
    // Half of the time nobody waits for ever, so that errors occur too.
    const patient = random() < 0.5
    let asking = true
    const mine = settled(
      first
        .acquire('name', patient ? {} : { timeout: 100 })
        .finally(() => (asking = false))
        .then((lock) => use(first, lock)),
    )
    const theirs = alone ? undefined : second.acquire('name', { timeout: 10_000 }).then((lock) => use(second, lock))
    await sleep(delay)
    await (fault === 'cutInFrame' || fault === 'reset' ? line[fault]() : line.wire[fault]())
    if (asking) hits++
    await sleep(length)
    await line.wire.heal()
    const healed = performance.now()
    const { error } = await mine
    if (error !== undefined) {
      failures++
      expect(LockError.find(error)).toMatchObject({ temporary: true })
    }
    // Whatever is left of it is gone within a ttl, for itself and for others.
    await theirs
    const next = random() < 0.5 ? first : second
    await next.acquire('name', { timeout: 10_000 }).then((lock) => use(next, lock))
    longestBlocked = Math.max(longestBlocked, performance.now() - healed)
  }
  const { takeover } = first.capabilities
  console.log(
    `seed ${seed}: ${hits} of ${rounds} faults met an acquire; ${tokens.length} grants, ${failures} failures;` +
      ` all was well at most ${longestBlocked.toFixed()} ms after a fault`,
  )
  expect(hits).toBeGreaterThan(0)
  expect(longestBlocked).toBeLessThan(shortest + takeover)
  expect(tokens).toEqual(tokens.toSorted((a, b) => Number(a - b)))
  expect(new Set(tokens).size).toBe(tokens.length)
  await Promise.all([first.close(), second.close()])
  await nothingIsLeftAt(server)
  expect(seen).toEqual(nothing)
})
