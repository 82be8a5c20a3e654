import { once } from 'node:events'
import { setImmediate as turn } from 'node:timers/promises'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { startProxy, type Proxy, type ProxyLine } from '../../src/index.ts'
import { freePort } from '../../src/ports.ts'
import { until } from '../../src/until.ts'
import { dial, Host, resp, type Peer } from './peers.ts'

let proxy: Proxy
beforeAll(async () => {
  proxy = await startProxy()
})
afterAll(() => proxy.end())

async function lineTo(...hosts: Pick<Host, 'upstream'>[]): Promise<ProxyLine> {
  const line = await proxy.line({ upstreams: hosts.map(({ upstream }) => upstream), framing: 'resp' })
  onTestFinished(() => line.close())
  return line
}

/** A client whose connection is up to the server. */
async function connected(line: ProxyLine, host: Host): Promise<{ client: Peer; server: Peer }> {
  const at = host.peers.length
  const client = await dial(line.ports[0])
  return { client, server: await host.peer(at) }
}

/** Long enough for whatever the proxy lets through: it has had its turns, and so have the sockets here. */
async function nothingMore(line: ProxyLine): Promise<void> {
  for (let round = 0; round < 5; round++) {
    await line.wire.sent()
    await turn()
  }
}

const echo = (chunk: string) => chunk

test('passes bytes both ways, and each port leads to its own upstream', async () => {
  const [a, b] = [await Host.listen(() => 'A'), await Host.listen(() => 'B')]
  const line = await lineTo(a, b)
  expect(line.ports).toHaveLength(2)
  const clients = await Promise.all(line.ports.map(dial))
  for (const client of clients) client.send('hello')
  await clients[0]?.has('A')
  await clients[1]?.has('B')
  expect([a.peers[0]?.received, b.peers[0]?.received]).toEqual(['hello', 'hello'])
})

test('leads new connections elsewhere once it is redirected, and leaves the others where they are', async () => {
  const [a, b] = [await Host.listen(() => 'A'), await Host.listen(() => 'B')]
  const line = await lineTo(a)
  const { client } = await connected(line, a)
  await line.redirect([b.upstream])
  const other = await dial(line.ports[0])
  for (const each of [client, other]) each.send('hello')
  await client.has('A')
  await other.has('B')
})

test('passes half-closes, each way by itself', async () => {
  const host = await Host.listen()
  const { client, server } = await connected(await lineTo(host), host)
  client.socket.end('last words')
  await until('the server has seen the end', () => server.hasEnded)
  expect(server.received).toBe('last words')
  expect(client.hasEnded).toBe(false)
  server.socket.end('farewell')
  expect(await client.closed).toBe('in order')
  expect(await server.closed).toBe('in order')
  expect(client.received).toBe('farewell')
})

test('passes resets on, either way', async () => {
  const host = await Host.listen()
  const line = await lineTo(host)
  const first = await connected(line, host)
  first.client.socket.resetAndDestroy()
  expect(await first.server.closed).toBe('ECONNRESET')
  const second = await connected(line, host)
  second.server.socket.resetAndDestroy()
  expect(await second.client.closed).toBe('ECONNRESET')
})

test('resets the client if the upstream refuses it', async () => {
  const host = await Host.listen()
  const line = await lineTo({ upstream: { host: '127.0.0.1', port: 1 } }, host)
  const client = await dial(line.ports[0])
  expect(await client.closed).toBe('ECONNRESET')
})

test('with patience an upstream that refuses it is tried again, but not for ever', async () => {
  const port = await freePort()
  const upstream = { host: '127.0.0.1', port }
  const line = await proxy.line({ upstreams: [upstream], framing: 'none', patience: 5_000 })
  const hasty = await proxy.line({ upstreams: [upstream], framing: 'none', patience: 100 })
  onTestFinished(async () => void (await Promise.all([line.close(), hasty.close()])))
  const [client, other] = [await dial(line.ports[0]), await dial(hasty.ports[0])]
  client.send('a')
  expect(await other.closed).toBe('ECONNRESET')
  const host = await Host.listen(echo, port)
  await client.has('a')
  expect(host.peers).toHaveLength(1)
})

test('reads no faster than the other side takes it', async () => {
  const host = await Host.listen()
  const line = await lineTo(host)
  const { client, server } = await connected(line, host)
  server.socket.pause()
  const chunk = Buffer.alloc(64 * 1024, 'x')
  const chunks = 1_000
  let taken = 0
  for (let at = 0; at < chunks; at++) client.socket.write(chunk, () => taken++)
  let before = -1
  await until('nothing flows any more', async () => {
    if (taken === before) return true
    before = taken
    await nothingMore(line)
    return false
  })
  expect(taken).toBeLessThan(chunks / 2)
  server.socket.resume()
  client.socket.end()
  await once(server.socket, 'end')
  expect(server.socket.bytesRead).toBe(chunks * chunk.length)
})

test('silence: nothing passes until it heals, and then everything does, in order', async () => {
  const host = await Host.listen(echo)
  const line = await lineTo(host)
  const { client, server } = await connected(line, host)
  await line.wire.silence()
  client.send('a')
  server.send('event ')
  const late = await dial(line.ports[0])
  late.send('late')
  await nothingMore(line)
  client.send('b')
  late.socket.end()
  await nothingMore(line)
  expect([server.received, client.received, host.peers.length]).toEqual(['', '', 1])
  await line.wire.heal()
  await server.has('ab')
  await client.has('event ab')
  await late.has('late')
  await until('the end arrives as well', () => host.peers[1]?.hasEnded)
})

test('silence: what had been written before still arrives, and so does its answer', async () => {
  const host = await Host.listen(echo)
  const line = await lineTo(host)
  const { client, server } = await connected(line, host)
  client.send('before')
  await line.wire.silence()
  client.send('after')
  await server.has('before')
  await nothingMore(line)
  expect(server.received).toBe('before')
})

test('dropAnswers: all requests arrive, no answer does, and who missed one loses the connection', async () => {
  const host = await Host.listen(echo)
  const line = await lineTo(host)
  const idle = await connected(line, host)
  const { client, server } = await connected(line, host)
  await line.wire.dropAnswers()
  client.send('a')
  await server.has('a')
  const newer = await connected(line, host)
  newer.client.send('b')
  await newer.server.has('b')
  await nothingMore(line)
  expect([client.received, newer.client.received]).toEqual(['', ''])
  await line.wire.heal()
  expect(await client.closed).toBe('ECONNRESET')
  expect(await newer.client.closed).toBe('ECONNRESET')
  await until('the server has seen the end', () => server.hasEnded && newer.server.hasEnded)
  idle.client.send('c')
  await idle.client.has('c')
  expect([client.received, newer.client.received]).toEqual(['', ''])
})

test('delayAnswers: all requests arrive, and the answers come when it heals', async () => {
  const host = await Host.listen(echo)
  const line = await lineTo(host)
  const { client, server } = await connected(line, host)
  await line.wire.delayAnswers()
  client.send('a')
  await server.has('a')
  client.send('b')
  await server.has('ab')
  await nothingMore(line)
  expect(client.received).toBe('')
  await line.wire.heal()
  await client.has('ab')
  client.send('c')
  await client.has('abc')
})

test('cut: every connection is reset, and every new one too, until it heals', async () => {
  const host = await Host.listen(echo)
  const line = await lineTo(host)
  const { client, server } = await connected(line, host)
  await line.wire.cut()
  expect(await client.closed).toBe('ECONNRESET')
  expect(await server.closed).toBe('ECONNRESET')
  const newer = await dial(line.ports[0])
  newer.send('a')
  expect(await newer.closed).toBe('ECONNRESET')
  expect(host.peers).toHaveLength(1)
  await line.wire.heal()
  const healthy = await connected(line, host)
  healthy.client.send('b')
  await healthy.client.has('b')
})

test('deafen: only connections that asked for notifications hear nothing, and lose the connection', async () => {
  const host = await Host.listen(echo)
  const line = await lineTo(host)
  const listener = await connected(line, host)
  listener.client.send(resp('sSubscribe', 'a'))
  await listener.client.has(resp('sSubscribe', 'a'))
  const other = await connected(line, host)
  const misleading = resp('EVAL', 'SUBSCRIBE', 'SUBSCRIBE')
  other.client.send(misleading)
  await other.client.has(misleading)
  await line.wire.deafen()
  const newer = await connected(line, host)
  newer.client.send('*2\r\n$9\r\nSUBS')
  await newer.client.has('*2\r\n$9\r\nSUBS')
  newer.client.send('CRIBE\r\n$1\r\na\r\n')
  await newer.server.has(resp('SUBSCRIBE', 'a'))
  listener.server.send('event')
  other.client.send('x')
  await other.client.has(`${misleading}x`)
  await nothingMore(line)
  expect(listener.client.received).toBe(resp('sSubscribe', 'a'))
  expect(newer.client.received).toBe('*2\r\n$9\r\nSUBS')
  await line.wire.heal()
  expect(await listener.client.closed).toBe('ECONNRESET')
  expect(await newer.client.closed).toBe('ECONNRESET')
  other.client.send('y')
  await other.client.has(`${misleading}xy`)
})

test('reconnect: new connections flow, what the old ones had sent arrives with heal, unanswered', async () => {
  const host = await Host.listen(echo)
  const line = await lineTo(host)
  const old = await connected(line, host)
  await line.wire.silence()
  old.client.send('old')
  const unconnected = await dial(line.ports[0])
  unconnected.send('unconnected')
  await line.wire.reconnect()
  expect(await old.client.closed).toBe('ECONNRESET')
  expect(await unconnected.closed).toBe('ECONNRESET')
  const fresh = await connected(line, host)
  fresh.client.send('fresh')
  await fresh.client.has('fresh')
  await nothingMore(line)
  await line.wire.delayAnswers()
  await nothingMore(line)
  expect([old.server.received, host.peers.length]).toEqual(['', 2])
  await line.wire.heal()
  await old.server.has('old')
  await until('the server has seen the end', () => old.server.hasEnded)
  const belated = await host.peer(2)
  await belated.has('unconnected')
  await until('the server has seen the end', () => belated.hasEnded)
  expect([old.client.received, unconnected.received]).toEqual(['', ''])
  fresh.client.send('!')
  await fresh.client.has('fresh!')
})

test('sent counts whole requests, however they are cut into pieces, while it is silent too', async () => {
  const host = await Host.listen()
  const line = await lineTo(host)
  const requests = resp('SET', 'a', '*3\r\n$3\r\nSET\r\n') + resp('GET', '') + resp('PING')
  const bytewise = await connected(line, host)
  for (const byte of requests.slice(0, -1)) {
    bytewise.client.send(byte)
    await turn()
  }
  expect(await line.wire.sent()).toBe(2)
  bytewise.client.send(requests.slice(-1))
  expect(await line.wire.sent()).toBe(3)
  await line.wire.silence()
  const atOnce = await dial(line.ports[0])
  atOnce.send(requests + requests)
  expect(await line.wire.sent()).toBe(9)
  await line.wire.cut()
  const lost = await dial(line.ports[0])
  lost.send(requests)
  await lost.closed
  expect(await line.wire.sent()).toBe(9)
})

test('roundTrips counts together what is sent without waiting for an answer', async () => {
  const host = await Host.listen()
  const line = await lineTo(host)
  const { client, server } = await connected(line, host)
  const other = await connected(line, host)
  client.send(resp('PING') + resp('PING'))
  expect(await line.wire.roundTrips()).toBe(1)
  client.send(resp('PING'))
  expect(await line.wire.roundTrips()).toBe(1)
  other.client.send(resp('PING'))
  expect(await line.wire.roundTrips()).toBe(2)
  server.send('+PONG\r\n')
  await client.has('+PONG\r\n')
  client.send(resp('PING'))
  expect(await line.wire.roundTrips()).toBe(3)
  expect(await line.wire.sent()).toBe(5)
})

test('slow: every chunk takes its time each way, and none overtakes another', async () => {
  const host = await Host.listen(echo)
  const line = await lineTo(host)
  const { client } = await connected(line, host)
  await line.slow(200)
  const began = performance.now()
  client.send('a')
  await client.has('a')
  expect(performance.now() - began).toBeGreaterThan(390)
  client.send('b')
  await line.slow(0)
  client.send('c')
  await client.has('abc')
})

test('reset: all connections end, new ones pass', async () => {
  const host = await Host.listen(echo)
  const line = await lineTo(host)
  const { client } = await connected(line, host)
  await line.reset()
  expect(await client.closed).toBe('ECONNRESET')
  const newer = await connected(line, host)
  newer.client.send('a')
  await newer.client.has('a')
})

test('cutInFrame: the next answer comes without its end, and then the reset', async () => {
  const host = await Host.listen(() => '$5\r\nhello\r\n')
  const line = await lineTo(host)
  const { client, server } = await connected(line, host)
  await line.cutInFrame()
  client.send('a')
  expect(await client.closed).toBe('ECONNRESET')
  expect(client.received).toBe('$5\r\nhell')
  await server.closed
  const newer = await connected(line, host)
  newer.client.send('a')
  await newer.client.has('$5\r\nhello\r\n')
})

test('rewrite: one text becomes another, across chunks and at the end too', async () => {
  const host = await Host.listen()
  const line = await lineTo(host)
  const old = await connected(line, host)
  await line.rewrite('run_id:abc', 'run_id:xyz')
  const fresh = await connected(line, host)
  for (const { client, server } of [old, fresh]) {
    let sent = ''
    for (const chunk of ['run_id:abc ru', 'n_', 'run_', 'id:a', 'bc', 'run_id:ab\n', 'run_id:abcrun_id:abc ']) {
      sent += chunk
      server.send(chunk)
      const held = /(r|ru|run|run_|run_i|run_id|run_id:|run_id:a|run_id:ab)$/.exec(sent)?.[0].length ?? 0
      await client.has(sent.slice(0, sent.length - held).replaceAll('run_id:abc', 'run_id:xyz'))
    }
    server.socket.end('run_id:a')
    await until('the end has come', () => client.hasEnded)
    expect(client.received.endsWith('xyz run_id:a')).toBe(true)
    expect(server.received).toBe('')
  }
  await expect(line.rewrite('a', 'bc')).rejects.toThrow('equal length')
})
