import { execFile } from 'node:child_process'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { redis } from '@locks/redis'
import type { Figures } from '@locks/testkit/ratio'
import { startProxy, startRedis, type ProxyLine } from '@locks/testkit'
import { afterAll, expect, test } from 'vitest'
import { cleanup, handOver, median, open, roundTripsOf, startCrowd, until } from './fixtures.ts'

const server = await startRedis({ appendonly: true })
const proxy = await startProxy()
afterAll(async () => {
  await proxy.end()
  await server.end()
})

const ttl = 10_000
const processes = 4
const adapter = new URL('../src/index.ts', import.meta.url).href

test('10,000 held locks are renewed in at most 20 requests and round trips a cycle', async () => {
  const count = 10_000
  const line = await newLine()
  const locks = await open(redis({ url: urlOf(line) }), { ttl })
  const held = await Promise.all(Array.from({ length: count }, (_, at) => locks.acquire(`lock ${at}`)))
  const delay = monitorEventLoopDelay({ resolution: 1 })
  /** When renewals were answered, and what they took. */
  const renewed: { readonly claims: number; readonly took: number }[] = []
  const note = (message: unknown) => void renewed.push(message as { claims: number; took: number })
  subscribe('locks:renewed', note)
  cleanup(() => unsubscribe('locks:renewed', note))

  await until('a cycle has ended', () => renewed.length > 0)
  const before = await countsOf(line)
  delay.enable()
  const cycles = 2
  await until('two more cycles have ended', () => renewed.length > cycles)
  delay.disable()
  const after = await countsOf(line)
  const [sent, roundTrips] = [(after.sent - before.sent) / cycles, (after.roundTrips - before.roundTrips) / cycles]
  console.log(
    `a cycle of ${count} locks: ${sent} requests, ${roundTrips} round trips,` +
      ` ${renewed.map(({ took }) => took.toFixed()).join(', ')} ms; event loop late by at most` +
      ` ${(delay.max / 1e6).toFixed(1)} ms, 99 % by ${(delay.percentile(99) / 1e6).toFixed(1)} ms`,
  )
  expect(renewed.map(({ claims }) => claims)).toEqual(renewed.map(() => count))
  expect(sent).toBeLessThanOrEqual(20)
  expect(roundTrips).toBeLessThanOrEqual(20)
  expect(held.filter((lock) => lock.held)).toHaveLength(count)
  const left = Math.min(...held.map((lock) => lock.expiresAt)) - performance.now()
  expect(left).toBeGreaterThan(ttl / 2)
})

test.for([
  ['one name', 1],
  ['50 names', 50],
] as const)('no process sends more than a request a second while 250 of it wait for %s', async ([, spread]) => {
  const names = Array.from({ length: spread }, (_, at) => `waited for ${at}`)
  const holder = await open(redis({ url: server.url }), { ttl })
  const locks = await Promise.all(names.map((name) => holder.acquire(name)))
  const lines = await Promise.all(Array.from({ length: processes }, newLine))
  const crowds = await Promise.all(
    lines.map((line) => startCrowd({ url: urlOf(line), adapter, ttl, names, waiters: 250 })),
  )
  const seconds = 12
  const before = await Promise.all(lines.map(countsOf))
  const started = performance.now()
  await sleep(seconds * 1_000)
  const lasted = (performance.now() - started) / 1_000
  const after = await Promise.all(lines.map(countsOf))
  const rates = after.map(({ sent }, at) => (sent - (before[at]?.sent ?? 0)) / lasted)
  console.log(`waiting for ${spread}: ${rates.map((rate) => rate.toFixed(2)).join(', ')} requests a second`)
  for (const rate of rates) {
    // Nobody is alive without any.
    expect(rate).toBeGreaterThan(0)
    expect(rate).toBeLessThanOrEqual(1)
  }
  expect(locks.every(({ held }) => held)).toBe(true)
  await Promise.all(locks.map((lock) => lock.release()))
  const all = await Promise.all(crowds.map((each) => each.all()))
  expect(all.flat()).toHaveLength(processes * 250)
})

test('a lock is handed over to the first of 1,000 waiters in the time that it takes with 100', async () => {
  const few: number[] = []
  const many: number[] = []
  for (let round = 0; round < 3; round++) {
    few.push(await handoffAmong(100))
    many.push(await handoffAmong(1_000))
  }
  const [one, other] = [median(few), median(many)]
  console.log(
    `handoff among 100: ${listed(few)} ms, among 1,000: ${listed(many)} ms; ratio ${(other / one).toFixed(2)}`,
  )
  expect(other).toBeLessThanOrEqual(1.5 * one)
})

async function handoffAmong(waiters: number): Promise<number> {
  const holder = await open(redis({ url: server.url }), { ttl })
  const lock = await holder.acquire(`handed over ${waiters}`)
  const mean = await handOver(lock, { url: server.url, adapter, ttl, processes, waiters })
  await holder.close()
  return mean
}

test('a free lock costs one round trip, and its release another', async () => {
  const line = await newLine()
  const locks = await open(redis({ url: urlOf(line) }), { ttl })
  expect(await roundTripsOf(locks, line.wire)).toEqual({ acquire: 1, release: 1 })
})

test('acquire and release cost at most 2.5 times what the bare driver needs', async () => {
  // Without a disk, which would be measured too.
  const plain = await startRedis()
  cleanup(() => plain.end())
  // In a process of its own: the test runner's module transform would be measured with it.
  const program = fileURLToPath(new URL('./floor.ts', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--conditions=@locks/source',
    program,
    plain.url,
    '300',
    '80',
  ])
  const { ratios, best, ours, bare } = JSON.parse(stdout) as Figures
  console.log(
    `acquire + release / bare driver: ${JSON.stringify(ratios)}, best rounds ${JSON.stringify(best)},` +
      ` ${JSON.stringify({ ours, bare })}`,
  )
  expect(ratios.wall.median).toBeLessThanOrEqual(2.5)
})

const listed = (numbers: readonly number[]) => numbers.map((number) => number.toFixed(3)).join(', ')

const urlOf = (line: ProxyLine) => `redis://127.0.0.1:${line.ports[0]}`

async function newLine(): Promise<ProxyLine> {
  const line = await proxy.line({ upstreams: [{ host: '127.0.0.1', port: server.port }], framing: 'resp' })
  cleanup(() => line.close())
  return line
}

async function countsOf({ wire }: ProxyLine): Promise<{ sent: number; roundTrips: number }> {
  return { sent: await wire.sent(), roundTrips: await wire.roundTrips() }
}
