import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { startProxy, type Proxy } from '../../src/index.ts'
import { framings } from '../../src/proxy/framing.ts'
import { dial, Host } from './peers.ts'

let proxy: Proxy
beforeAll(async () => {
  proxy = await startProxy()
})
afterAll(() => proxy.end())

/** A frame, which begins with its number; but for the first of a connection. */
function frame(number: number, body = ''): Buffer {
  const header = Buffer.alloc(8)
  header.writeInt32BE(4 + Buffer.byteLength(body), 0)
  header.writeInt32BE(number, 4)
  return Buffer.concat([header, Buffer.from(body)])
}

/** Two bytes at least: what comes first of a connection has no number, whatever stands in its place. */
const greeting = frame(0, 'hello')
const [watch, ping, credentials, watches] = [-1, -2, -4, -8]

function* pieces(bytes: Buffer, size: number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

test('requests are counted as they are completed, wherever the stream is cut', () => {
  const last = frame(3, 'last')
  const before = Buffer.concat([
    ...[greeting, frame(credentials, 'x'), frame(1), frame(ping), frame(2, '*'.repeat(300)), frame(watches, 'y')],
    last.subarray(0, -1),
  ])
  for (let size = 1; size <= before.length; size++) {
    const framing = framings.zookeeper()
    const count = [...pieces(before, size)].reduce((sum, piece) => sum + framing.read(piece), 0)
    expect(count).toBe(2)
    expect(framing.read(last.subarray(-1))).toBe(1)
  }
})

test('notifications are told from answers, wherever the stream is cut', () => {
  const kept = [greeting, frame(1, 'one'), frame(ping), frame(2)]
  const [one = greeting, two = greeting, three = greeting, four = greeting] = kept
  const all = Buffer.concat([one, frame(watch, 'lost'), two, three, frame(watch, '*'.repeat(300)), four])
  for (let size = 1; size <= all.length; size++) {
    const framing = framings.zookeeper()
    const found = [...pieces(all, size)].flatMap((piece) => framing.split?.(piece) ?? [])
    expect(Buffer.concat(found.map(({ bytes }) => bytes))).toEqual(all)
    const answers = found.filter(({ notifies }) => !notifies)
    expect(Buffer.concat(answers.map(({ bytes }) => bytes))).toEqual(Buffer.concat(kept))
    expect(found.filter(({ begins }) => begins)).toHaveLength(6)
  }
})

test('answers reach the deaf, whose connection is reset when it heals if a notification did not', async () => {
  const host = await Host.listen()
  const line = await proxy.line({ upstreams: [host.upstream], framing: 'zookeeper' })
  onTestFinished(() => line.close())
  const [client, other] = [await dial(line.ports[0]), await dial(line.ports[0])]
  const [server, third] = [await host.peer(0), await host.peer(1)]
  server.socket.write(greeting)
  third.socket.write(greeting)
  await client.has(String(greeting))
  await other.has(String(greeting))
  await line.wire.deafen()
  server.socket.write(Buffer.concat([frame(watch, 'lost'), frame(7, 'kept')]))
  third.socket.write(frame(8, 'kept'))
  await client.has(String(greeting) + String(frame(7, 'kept')))
  await other.has(String(greeting) + String(frame(8, 'kept')))
  await line.wire.heal()
  expect(await client.closed).toBe('ECONNRESET')
  third.socket.write(frame(watch, 'heard'))
  await other.has(String(greeting) + String(frame(8, 'kept')) + String(frame(watch, 'heard')))
})

test('no notification that has begun to arrive is lost in part', async () => {
  const host = await Host.listen()
  const line = await proxy.line({ upstreams: [host.upstream], framing: 'zookeeper' })
  onTestFinished(() => line.close())
  const client = await dial(line.ports[0])
  const server = await host.peer(0)
  const begun = frame(watch, 'begun before')
  server.socket.write(Buffer.concat([greeting, begun.subarray(0, 9)]))
  await client.has(String(greeting) + String(begun.subarray(0, 9)))
  await line.wire.deafen()
  server.socket.write(Buffer.concat([begun.subarray(9), frame(watch, 'lost'), frame(7, 'kept')]))
  await client.has(String(greeting) + String(begun) + String(frame(7, 'kept')))
})
