import { startProxy, startRedis, type Proxy, type RedisServer } from '@locks/testkit'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { at, cleanup, keyFor, open, rejection, request, take, until } from './support.ts'

/** Answers that come after something else has happened, or not at all. */
let server: RedisServer
let proxy: Proxy
let admin: Redis
beforeAll(async () => {
  server = await startRedis({ appendonly: true })
  proxy = await startProxy()
  admin = new Redis(server.url)
})
afterAll(async () => {
  admin.disconnect()
  await proxy.end()
  await server.end()
})

test('a lock that is stolen while its replicas are waited for is not granted', async () => {
  const { session, granted } = await open(at(server.url, { acknowledge: 1, acknowledgeTimeout: 3_000 }))
  const thief = await open(at(server.url))
  const [claim, theft] = [request('a'), request('a', { steal: true })]
  const refused = rejection(session.acquire(claim))
  await until(async () => (await admin.hget(keyFor('a'), 'n')) === '1')
  await take(thief.session, theft)
  expect((await refused).message).toMatch(/stolen/)
  expect(granted).toEqual([])
})

test('a connection that has gone silent is replaced, and not waited for', async () => {
  const line = await proxy.line({ upstreams: [{ host: '127.0.0.1', port: server.port }], framing: 'resp' })
  cleanup(() => line.close())
  const connections = async () =>
    [...String(await admin.call('CLIENT', 'LIST', 'TYPE', 'normal')).matchAll(/^id=(\d+) .*name=@locks\/redis /gm)].map(
      ([, id]) => id,
    )
  const before = await connections()
  const { session } = await open(at(`redis://127.0.0.1:${line.ports[0]}`), { ttl: 2_000 })
  const claim = request('b')
  await take(session, claim)
  const [own, ...others] = (await connections()).filter((id) => !before.includes(id))
  expect([own, others]).toEqual([expect.any(String), []])
  await line.wire.silence()
  expect((await rejection(session.renew([claim]))).message).toMatch(/did not answer within 1000 ms/)
  await line.wire.heal()
  await until(() => session.query('b').then(Boolean, () => false))
  expect(await connections()).not.toContain(own)
})
