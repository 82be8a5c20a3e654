import { etcd } from '@locks/etcd'
import { startEtcd, startProxy, type EtcdServer, type ProxyLine } from '@locks/testkit'
import { afterAll, expect, test } from 'vitest'
import { cleanup, leftAt, open, queued, until, urlOf } from './fixtures.ts'

const server = await startEtcd()
const proxy = await startProxy()
afterAll(async () => {
  await proxy.end()
  await server.end()
})

const ttl = 4_000

/** Forgets all that was before now. */
async function compact(from: EtcdServer): Promise<void> {
  for (let at = 0; at < 3; at++) await from.ctl('put', 'other', String(at))
  await from.ctl('del', 'other')
  const status = JSON.parse(await from.ctl('endpoint', 'status', '-w', 'json')) as {
    Status: { header: { revision: number } }
  }[]
  await from.ctl('compact', String(status[0]?.Status.header.revision))
}

test('a compaction during a wait costs nobody the turn', async () => {
  const [holder, waiter] = [
    await open(etcd({ url: server.url }), { ttl }),
    await open(etcd({ url: server.url }), { ttl }),
  ]
  const lock = await holder.acquire('name')
  const one = waiter.acquire('name')
  await queued(waiter, 'name', 1)
  const other = holder.acquire('name')
  await queued(waiter, 'name', 2)
  await compact(server)
  await lock.release()
  const began = performance.now()
  const first = await one
  expect(performance.now() - began).toBeLessThan(1_000)
  await compact(server)
  await first.release()
  const second = await other
  expect(second.token).toBeGreaterThan(first.token)
  await Promise.all([holder.close(), waiter.close()])
  expect(await leftAt(server)).toEqual([])
})

const losses = {
  'of a connection that is reset': {
    begin: (line: ProxyLine) => line.wire.cut(),
    end: (line: ProxyLine) => line.wire.heal(),
  },
  'of notifications that do not arrive': {
    begin: (line: ProxyLine) => line.wire.deafen(),
    end: (line: ProxyLine) => line.wire.heal(),
  },
}
test.for(Object.entries(losses))(
  'a watch goes on behind a compaction of what it has missed, because %s',
  async ([, loss]) => {
    const line = await proxy.line({ upstreams: [{ host: '127.0.0.1', port: server.port }], framing: 'grpc' })
    cleanup(() => line.close())
    const holder = await open(etcd({ url: server.url }), { ttl })
    const waiter = await open(etcd({ url: urlOf(...line.ports) }), { ttl })
    const names = ['released meanwhile', 'released afterwards']
    const locks = await Promise.all(names.map((name) => holder.acquire(name)))
    const waiting = names.map((name) => waiter.acquire(name))
    for (const name of names) await queued(holder, name, 1)
    await loss.begin(line)
    await locks[0]?.release()
    await compact(server)
    await loss.end(line)
    const began = performance.now()
    expect((await waiting[0])?.held).toBe(true)
    // What was missed is found by the next renewal at the latest.
    console.log(
      `granted ${(performance.now() - began).toFixed()} ms after the line was well again, with a ttl of ${ttl} ms`,
    )
    expect(performance.now() - began).toBeLessThan(ttl / 3 + 1_500)
    // And it hears again: sooner than any renewal.
    const heard: number[] = []
    for (let round = 0; round < 3; round++) {
      const name = `afterwards ${round}`
      const lock = await holder.acquire(name)
      const next = waiter.acquire(name)
      await queued(holder, name, 1)
      const released = performance.now()
      await lock.release()
      await next
      heard.push(performance.now() - released)
    }
    expect(Math.min(...heard)).toBeLessThan(ttl / 12)
    await locks[1]?.release()
    await until('the other is granted too', () => waiting[1]?.then((lock) => lock.held) ?? false)
    await Promise.all([holder.close(), waiter.close()])
    expect(await leftAt(server)).toEqual([])
  },
)
