import type { Lock } from '@locks/core'
import { redis } from '@locks/redis'
import { startProxy, startRedis } from '@locks/testkit'
import { afterAll, expect, test } from 'vitest'
import { cleanup, leftAt, open, queued, sitOut, unhandledRejections, until, withstand } from './fixtures.ts'

const server = await startRedis({ appendonly: true })
const proxy = await startProxy()
afterAll(async () => {
  await proxy.end()
  await server.end()
})

const ttl = 1_500
const connectTimeout = 1_000

const client = (options = {}) => open(redis({ url: server.url }), { ttl, connectTimeout, ...options })

const outages = {
  'stopped and goes on': { begin: () => server.stop(), end: () => server.continue() },
  'killed and started again': { begin: () => server.kill(), end: () => server.start() },
}

test.for(Object.entries(outages))('a server that is %s after more than a ttl', async ([, outage]) => {
  const unhandled = unhandledRejections()
  const [holder, waiter, other] = [await client(), await client(), await client()]
  const { served, reason } = await sitOut(outage, { holder, waiter, other }, { ttl, connectTimeout })
  expect(reason).toBe('expired')
  console.log(`a waiter was served ${served.toFixed()} ms after the outage`)
  await Promise.all([holder, waiter, other].map((locks) => locks.close()))
  await until('nothing is left', async () => (await leftAt(server)).length === 0)
  expect(unhandled).toEqual([])
})

test('a server that is killed and started again within the ttl costs no lock and no place in the queue', async () => {
  const unhandled = unhandledRejections()
  const [holder, waiter, other] = [await client({ ttl: 6_000 }), await client({ ttl: 6_000 }), await client()]
  const lock = await holder.acquire('kept')
  const first = waiter.acquire('kept')
  await queued(other, 'kept', 1)
  const second = other.acquire('kept')
  await queued(other, 'kept', 2)
  const before = lock.expiresAt
  await server.restart()
  await until('it is renewed', () => lock.expiresAt > before)
  expect(lock.held).toBe(true)
  const order: string[] = []
  const note = (who: string) => (granted: Lock) => {
    order.push(who)
    return granted.release()
  }
  const both = [first.then(note('first')), second.then(note('second'))]
  await expect(lock.release()).resolves.toBe('released')
  await expect(Promise.all(both)).resolves.toEqual(['released', 'released'])
  // The second may have had to queue anew, the ttl of its manager being shorter than the outage, but never before.
  expect(order).toEqual(['first', 'second'])
  await Promise.all([holder, waiter, other].map((locks) => locks.close()))
  await until('nothing is left', async () => (await leftAt(server)).length === 0)
  expect(unhandled).toEqual([])
})

test.for([1, 2, 3])('no client is kept out by its own lock when answers do not arrive (seed %i)', async (seed) => {
  const shortest = 1_000
  const unhandled = unhandledRejections()
  const line = await proxy.line({ upstreams: [{ host: '127.0.0.1', port: server.port }], framing: 'resp' })
  cleanup(() => line.close())
  // So that what befalls the line befalls requests and answers that are under way.
  await line.slow(2)
  const url = `redis://127.0.0.1:${line.ports[0]}`
  const first = await open(redis({ url }), { ttl: shortest, connectTimeout })
  const second = await client({ ttl: shortest })
  console.log(`seed ${seed}: ${await withstand({ first, second, line, ttl: shortest, seed, rounds: 20 })}`)
  await Promise.all([first.close(), second.close()])
  await until('nothing is left', async () => (await leftAt(server)).length === 0)
  expect(unhandled).toEqual([])
})
