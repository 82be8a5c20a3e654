import type { Lock } from '@locks/core'
import { startProxy, startZookeeper } from '@locks/testkit'
import { afterAll, expect, test } from 'vitest'
import {
  cleanup,
  nothing,
  nothingIsLeftAt,
  open,
  queued,
  sitOut,
  unhandled,
  until,
  urlOf,
  withstand,
  type Fault,
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

const client = (options = {}) => open(urlOf(server.port), { ttl, connectTimeout, ...options })

const outages = {
  'stopped and goes on': { begin: () => server.stop(), end: () => server.continue() },
  'killed and started again': { begin: () => server.kill(), end: () => server.start() },
}

test.for(Object.entries(outages))('a server that is %s after more than a ttl', async ([how, outage]) => {
  const seen = unhandled()
  const [holder, waiter, other] = [await client(), await client(), await client()]
  const { served, reason } = await sitOut(outage, { holder, waiter, other }, { ttl, connectTimeout })
  expect(reason).toBe('expired')
  console.log(`${how}: a waiter was served ${served.toFixed()} ms after the outage`)
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

const faults: readonly Fault[] = ['dropAnswers', 'cutInFrame', 'reset', 'silence', 'deafen']

test.for([1, 2, 3])('no client is kept out by its own lock when answers do not arrive (seed %i)', async (seed) => {
  const shortest = 1_000
  const seen = unhandled()
  const line = await proxy.line({ upstreams: [{ host: '127.0.0.1', port: server.port }], framing: 'zookeeper' })
  cleanup(() => line.close())
  // So that what befalls the line befalls requests and answers that are under way.
  await line.slow(2)
  const first = await open(urlOf(line.ports[0] ?? 0), { ttl: shortest, connectTimeout })
  const second = await client({ ttl: shortest })
  console.log(`seed ${seed}: ${await withstand({ first, second, line, ttl: shortest, seed, rounds: 12, faults })}`)
  await Promise.all([first.close(), second.close()])
  await nothingIsLeftAt(server)
  expect(seen).toEqual(nothing)
})
