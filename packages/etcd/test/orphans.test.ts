import { LockError } from '@locks/core'
import { etcd } from '@locks/etcd'
import { startEtcd, startProxy } from '@locks/testkit'
import { afterAll, expect, test } from 'vitest'
import { cleanup, leftAt, open, queued, settled, until, urlOf } from './fixtures.ts'

const server = await startEtcd()
const proxy = await startProxy()
afterAll(async () => {
  await proxy.end()
  await server.end()
})

const ttl = 2_000

async function wired() {
  const line = await proxy.line({ upstreams: [{ host: '127.0.0.1', port: server.port }], framing: 'grpc' })
  cleanup(() => line.close())
  return { line, locks: await open(etcd({ url: urlOf(...line.ports) }), { ttl, connectTimeout: 1_000 }) }
}

/** Loses answers from now on, with a request of this client's that is applied meanwhile. */
async function ask({ line, locks }: Awaited<ReturnType<typeof wired>>, options: { timeout?: number }) {
  const before = await locks.acquire('before')
  await line.wire.dropAnswers()
  const began = performance.now()
  const asked = settled(locks.acquire('name', options))
  await until('the server has it', async () => (await server.keys('locks/locks/name/')).length === 1)
  return { before, began, asked }
}

test("what a caller has given up is nobody's within one more ttl, though answers are still lost", async () => {
  const mine = await wired()
  const other = await open(etcd({ url: server.url }), { ttl })
  const { began, asked, before } = await ask(mine, { timeout: 300 })
  const theirs = await other.acquire('name')
  const took = performance.now() - began
  console.log(`granted to another ${took.toFixed()} ms after answers began to be lost, with a ttl of ${ttl} ms`)
  expect(theirs.held).toBe(true)
  expect(took).toBeLessThan(2 * ttl)
  expect(LockError.find((await asked).error)).toMatchObject({ code: 'TIMEOUT' })
  await until('answers were lost for longer than a ttl', () => performance.now() - began > 1.5 * ttl)
  expect(before.held).toBe(false)
  await mine.line.wire.heal()
  const waiting = mine.locks.acquire('name')
  await queued(other, 'name', 1)
  expect(theirs.held).toBe(true)
  await theirs.release()
  expect((await waiting).token).toBeGreaterThan(theirs.token)
  await Promise.all([mine.locks.close(), other.close()])
  expect(await leftAt(server)).toEqual([])
})

test.for([
  ['gave up', { timeout: 300 }],
  ['still waits', {}],
] as const)('a manager whose caller %s does not wait for its own orphan', async ([, options]) => {
  const mine = await wired()
  const { began, asked } = await ask(mine, options)
  await until('answers were lost for longer than a ttl', () => performance.now() - began > 1.5 * ttl)
  await mine.line.wire.heal()
  const healed = performance.now()
  const lock = 'timeout' in options ? await mine.locks.acquire('name') : (await asked).value
  const took = performance.now() - healed
  console.log(`granted ${took.toFixed()} ms after answers came again`)
  expect(lock?.held).toBe(true)
  expect(took).toBeLessThan(ttl)
  expect((await mine.locks.query('name')).held).toMatchObject([{ token: lock?.token }])
  await mine.locks.close()
  expect(await leftAt(server)).toEqual([])
})
