import { execFile } from 'node:child_process'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { etcd } from '@locks/etcd'
import { startEtcd, startProxy, type ProxyLine } from '@locks/testkit'
import type { Figures } from '@locks/testkit/ratio'
import { afterAll, expect, test } from 'vitest'
import { adapterModule, cleanup, handOver, open, roundTripsOf, takeAll, until, urlOf } from './fixtures.ts'

const server = await startEtcd()
const proxy = await startProxy()
afterAll(async () => {
  await proxy.end()
  await server.end()
})

const ttl = 10_000
const processes = 4

test('10,000 held locks are renewed in at most 20 requests and round trips a cycle', async () => {
  const names = Array.from({ length: 10_000 }, (_, at) => `lock ${at}`)
  const line = await newLine()
  const locks = await open(etcd({ url: urlOf(...line.ports) }), { ttl })
  const held = await takeAll(locks, names)
  /** What renewals took. */
  const renewed: { readonly claims: number; readonly took: number }[] = []
  const note = (message: unknown) => void renewed.push(message as { claims: number; took: number })
  subscribe('locks:renewed', note)
  cleanup(() => unsubscribe('locks:renewed', note))
  const counts = async () => [await line.wire.sent(), await line.wire.roundTrips()] as const

  await until('a cycle has ended', () => renewed.length > 0)
  const before = await counts()
  const cycles = 2
  await until('two more cycles have ended', () => renewed.length > cycles)
  const after = await counts()
  const [sent, roundTrips] = [(after[0] - before[0]) / cycles, (after[1] - before[1]) / cycles]
  const took = renewed.map((each) => each.took.toFixed()).join(', ')
  console.log(`a cycle of ${names.length} locks: ${sent} requests, ${roundTrips} round trips, ${took} ms`)
  // The first may have left before they were all held.
  expect(new Set(renewed.slice(1).map(({ claims }) => claims))).toEqual(new Set([names.length]))
  expect(sent).toBeLessThanOrEqual(20)
  expect(roundTrips).toBeLessThanOrEqual(20)
  expect(held.filter((lock) => lock.held)).toHaveLength(names.length)
  const left = Math.min(...held.map((lock) => lock.expiresAt)) - performance.now()
  expect(left).toBeGreaterThan(ttl / 2)
}, 120_000)

test('a lock is handed over to the first of 1,000 waiters in about the time that it takes with 100', async () => {
  const [few, many] = [await handoffAmong(100), await handoffAmong(1_000)]
  console.log(
    `handoff among 100: ${few.toFixed(2)} ms, among 1,000: ${many.toFixed(2)} ms; ratio ${(many / few).toFixed(2)}`,
  )
  expect(many).toBeLessThanOrEqual(2 * few)
}, 120_000)

async function handoffAmong(waiters: number): Promise<number> {
  const holder = await open(etcd({ url: server.url }), { ttl })
  const lock = await holder.acquire(`handed over ${waiters}`)
  const mean = await handOver(lock, { url: server.url, adapter: adapterModule, ttl, processes, waiters })
  await holder.close()
  return mean
}

test('a free lock costs one round trip, and its release another', async () => {
  const line = await newLine()
  const locks = await open(etcd({ url: urlOf(...line.ports) }), { ttl })
  expect(await roundTripsOf(locks, line.wire)).toEqual({ acquire: 1, release: 1 })
})

test('acquire and release cost at most 2.5 times what two calls of the bare driver do', async () => {
  // In a process of its own: the test runner's module transform would be measured with it.
  const program = fileURLToPath(new URL('./floor.ts', import.meta.url))
  const args = ['--conditions=@locks/source', program, server.url, '40', '40']
  const { stdout } = await promisify(execFile)(process.execPath, args)
  const { ratios, best, ours, bare } = JSON.parse(stdout) as Figures
  console.log(`acquire + release / bare driver: ${JSON.stringify({ ratios, best, ours, bare })}`)
  expect(ratios.wall.median).toBeLessThanOrEqual(2.5)
})

async function newLine(): Promise<ProxyLine> {
  const line = await proxy.line({ upstreams: [{ host: '127.0.0.1', port: server.port }], framing: 'grpc' })
  cleanup(() => line.close())
  return line
}
