import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { systemRandom } from '@locks/core/backend'
import { startZookeeper } from '@locks/testkit'
import { afterAll, expect, test } from 'vitest'
import { cleanup, nothing, nothingIsLeftAt, open, queued, unhandled, until, urlOf } from './fixtures.ts'

// What a session leaves that has ended without having said so, the server deletes.
const server = await startZookeeper({ tidies: 500 })
afterAll(() => server.end())

const ttl = 3_000
const client = (options = {}) => open(urlOf(server.port), { ttl, ...options })

/** Of the only client that has any, by its id. */
async function session(): Promise<{ id: string; paths: readonly string[] }> {
  const [found, ...more] = await server.ephemerals()
  if (!found || more.length > 0) throw new Error('there is not one session')
  const [id, paths] = found
  return { id, paths }
}

test('a session that is ended from outside: its holder is told at once, and goes on in another one', async () => {
  const seen = unhandled()
  const locks = await client()
  const held = await Promise.all([locks.acquire('a'), locks.acquire('b', { mode: 'shared' })])
  const { id } = await session()
  const lost = Promise.all(held.map(({ signal }) => once(signal, 'abort')))
  const since = performance.now()
  await server.endSession(id)
  await lost
  const told = performance.now() - since
  console.log(`told ${told.toFixed()} ms after the end of its session`)
  expect(told).toBeLessThan(1_000)
  for (const lock of held) {
    expect(lock.held).toBe(false)
    await expect(lock.release()).resolves.toBe('lost')
  }
  const again = await locks.acquire('a')
  expect(again.token).toBeGreaterThan(held[0].token)
  expect((await session()).id).not.toBe(id)
  await locks.close()
  await nothingIsLeftAt(server)
  expect(seen).toEqual(nothing)
})

test('sessions that are ended from outside: who waited waits on, and is granted', async () => {
  const seen = unhandled()
  const [holder, waiter] = [await client(), await client()]
  const lock = await holder.acquire('a')
  const waiting = waiter.acquire('a')
  await queued(holder, 'a', 1)
  const sessions = [...(await server.ephemerals()).keys()]
  expect(sessions).toHaveLength(2)
  await Promise.all(sessions.map((id) => server.endSession(id)))
  const granted = await waiting
  expect(granted.held).toBe(true)
  expect(granted.token).toBeGreaterThan(lock.token)
  await until('its former holder knows', () => !lock.held)
  await Promise.all([holder.close(), waiter.close()])
  await nothingIsLeftAt(server)
  expect(seen).toEqual(nothing)
})

test('the id of a session that somebody else uses costs a connection, and no lock', async () => {
  const seen = unhandled()
  const locks = await client()
  const lock = await locks.acquire('a')
  const { id } = await session()
  for (let round = 0; round < 5; round++) {
    const before = lock.expiresAt
    await server.joinSession(id)
    await until('it is proved again', () => lock.expiresAt > before + 500)
    expect(lock.held).toBe(true)
  }
  expect((await session()).id).toBe(id)
  await expect(lock.release()).resolves.toBe('released')
  await locks.close()
  await nothingIsLeftAt(server)
  expect(seen).toEqual(nothing)
})

test('a server that takes connections and stays silent is passed over', async () => {
  const silent = createServer()
  await once(silent.listen(0, '127.0.0.1'), 'listening')
  const taken: Socket[] = []
  silent.on('connection', (socket) => taken.push(socket.resume()))
  cleanup(() => {
    for (const socket of taken) socket.destroy()
    silent.close()
  })
  const { port } = silent.address() as AddressInfo
  // The order of its servers is by chance otherwise.
  const random = { ...systemRandom, unit: () => 0.5 }
  const since = performance.now()
  const locks = await open(urlOf(port, server.port), { ttl, random })
  const first = performance.now() - since
  expect(taken).toHaveLength(1)
  const lock = await locks.acquire('a')
  const before = lock.expiresAt
  await server.joinSession((await session()).id)
  const second = await until('it is proved again', () => lock.expiresAt > before + ttl / 2)
  expect(taken).toHaveLength(2)
  expect(lock.held).toBe(true)
  console.log(`past a silent server in ${first.toFixed()} ms at first, and within ${second.toFixed()} ms later`)
  expect(first).toBeLessThan(ttl)
  await locks.close()
  await nothingIsLeftAt(server)
})
