import { postgres } from '@locks/postgres'
import { startPostgres, startProxy } from '@locks/testkit'
import { afterAll, expect, test } from 'vitest'
import {
  cleanup,
  leftAt,
  nothing,
  open,
  sitOut,
  unhandledRejections,
  until,
  withstand,
  type Fault,
} from './fixtures.ts'

const server = await startPostgres()
const proxy = await startProxy()
afterAll(async () => {
  await proxy.end()
  await server.end()
})

const ttl = 1_500
const connectTimeout = 1_000

const client = (options = {}) => open(postgres({ url: server.url }), { ttl, connectTimeout, ...options })

const outages = {
  'stopped and goes on': { begin: () => server.stop(), end: () => server.continue() },
  'killed and started again': { begin: () => server.kill(), end: () => server.start() },
}

test.for(Object.entries(outages))('a server that is %s after more than a ttl', async ([how, outage]) => {
  const unhandled = unhandledRejections()
  const [holder, waiter, other] = [await client(), await client(), await client()]
  const { served } = await sitOut(outage, { holder, waiter, other }, { ttl, connectTimeout })
  console.log(`${how}: a waiter was served ${served.toFixed()} ms after the outage`)
  await Promise.all([holder, waiter, other].map((locks) => locks.close()))
  // Connections that were given up in the meantime end when the server has time for them.
  await until('nothing is left', async () => JSON.stringify(await leftAt(server)) === JSON.stringify(nothing))
  expect(unhandled).toEqual([])
})

const faults: readonly Fault[] = ['dropAnswers', 'delayAnswers', 'deafen', 'cutInFrame', 'reset', 'silence']

test.for([1, 2, 3])('no client is kept out by its own lock when answers do not arrive (seed %i)', async (seed) => {
  const shortest = 1_000
  const unhandled = unhandledRejections()
  const line = await proxy.line({ upstreams: [{ host: '127.0.0.1', port: server.port }], framing: 'postgres' })
  cleanup(() => line.close())
  // So that what befalls the line befalls requests and answers that are under way.
  await line.slow(2)
  const url = `postgres://postgres@127.0.0.1:${line.ports[0]}/postgres`
  const first = await open(postgres({ url }), { ttl: shortest, connectTimeout })
  const second = await client({ ttl: shortest })
  console.log(`seed ${seed}: ${await withstand({ first, second, line, ttl: shortest, seed, rounds: 12, faults })}`)
  await Promise.all([first.close(), second.close()])
  await until('nothing is left', async () => JSON.stringify(await leftAt(server)) === JSON.stringify(nothing))
  expect(unhandled).toEqual([])
})
