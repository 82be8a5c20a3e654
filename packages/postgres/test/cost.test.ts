import { execFile } from 'node:child_process'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { postgres } from '@locks/postgres'
import { startPostgres, startProxy, type ProxyLine } from '@locks/testkit'
import type { Figures } from '@locks/testkit/ratio'
import { afterAll, expect, test } from 'vitest'
import { adapterModule, cleanup, handOver, leftAt, nothing, open, roundTripsOf, until } from './fixtures.ts'

/** With room for as many locks as are held here at a time, and as many again. */
const server = await startPostgres({ settings: { max_locks_per_transaction: '256' } })
const proxy = await startProxy()
afterAll(async () => {
  await proxy.end()
  await server.end()
})

const ttl = 10_000
const processes = 4

test('10,000 held locks are renewed in as few requests as one', async () => {
  const count = 10_000
  const line = await newLine()
  const locks = await open(postgres({ url: urlOf(line) }), { ttl })
  const held = await Promise.all(Array.from({ length: count }, (_, at) => locks.acquire(`lock ${at}`)))
  // Those that are held for a while get their rows first.
  await until('all have a row', async () => (await leftAt(server)).entries === count)
  /** What renewals took. */
  const renewed: { readonly claims: number; readonly took: number }[] = []
  const note = (message: unknown) => void renewed.push(message as { claims: number; took: number })
  subscribe('locks:renewed', note)
  cleanup(() => unsubscribe('locks:renewed', note))

  await until('a cycle has ended', () => renewed.length > 0)
  const before = await line.wire.sent()
  const cycles = 2
  await until('two more cycles have ended', () => renewed.length > cycles)
  const sent = ((await line.wire.sent()) - before) / cycles
  console.log(`a cycle of ${count} locks: ${sent} requests, ${renewed.map(({ took }) => took.toFixed()).join(', ')} ms`)
  expect(renewed.map(({ claims }) => claims)).toEqual(renewed.map(() => count))
  // One on each connection.
  expect(sent).toBeLessThanOrEqual(3)
  expect(held.filter((lock) => lock.held)).toHaveLength(count)
  const left = Math.min(...held.map((lock) => lock.expiresAt)) - performance.now()
  expect(left).toBeGreaterThan(ttl / 2)
  await locks.close()
  await until('nothing is left', async () => JSON.stringify(await leftAt(server)) === JSON.stringify(nothing))
})

// It starts sixteen processes, which takes its time on a busy machine.
test(
  'a lock is handed over to the first of 1,000 waiters in the time that it takes with 100',
  { timeout: 180_000 },
  async () => {
    const few: number[] = []
    const many: number[] = []
    for (let round = 0; round < 2; round++) {
      few.push(await handoffAmong(100))
      many.push(await handoffAmong(1_000))
    }
    // Whatever else the machine does only makes it longer.
    const [one, other] = [Math.min(...few), Math.min(...many)]
    console.log(
      `handoff among 100: ${listed(few)} ms, among 1,000: ${listed(many)} ms; ratio ${(other / one).toFixed(2)}`,
    )
    expect(other).toBeLessThanOrEqual(1.5 * one)
  },
)

async function handoffAmong(waiters: number): Promise<number> {
  const holder = await open(postgres({ url: server.url }), { ttl })
  const lock = await holder.acquire(`handed over ${waiters}`)
  const mean = await handOver(lock, { url: server.url, adapter: adapterModule, ttl, processes, waiters })
  await holder.close()
  return mean
}

test('a free lock costs one round trip, and its release another', async () => {
  const line = await newLine()
  const locks = await open(postgres({ url: urlOf(line) }), { ttl })
  expect(await roundTripsOf(locks, line.wire)).toEqual({ acquire: 1, release: 1 })
})

test.for([
  ['one', 3],
  ['many', 2],
] as const)(
  'acquire and release, %s at a time, cost at most %d times what the bare driver needs',
  async ([what, most]) => {
    // In a process of its own: the test runner's module transform would be measured with it.
    const program = fileURLToPath(new URL('./floor.ts', import.meta.url))
    const args = ['--conditions=@locks/source', program, server.url, what, '60', what === 'one' ? '100' : '640']
    const { stdout } = await promisify(execFile)(process.execPath, args)
    const { ratios, best, ours, bare } = JSON.parse(stdout) as Figures
    console.log(`${what}: ours / bare driver ${JSON.stringify({ ratios, best, ours, bare })}`)
    expect(ratios.wall.median).toBeLessThanOrEqual(most)
  },
)

const listed = (numbers: readonly number[]) => numbers.map((number) => number.toFixed(3)).join(', ')

const urlOf = (line: ProxyLine) => `postgres://postgres@127.0.0.1:${line.ports[0]}/postgres`

async function newLine(): Promise<ProxyLine> {
  const line = await proxy.line({ upstreams: [{ host: '127.0.0.1', port: server.port }], framing: 'postgres' })
  cleanup(() => line.close())
  return line
}
