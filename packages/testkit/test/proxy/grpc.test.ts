import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { startEtcd, startProxy, type EtcdServer, type Proxy, type ProxyLine } from '../../src/index.ts'
import { framings } from '../../src/proxy/framing.ts'
import { until } from '../../src/until.ts'
import { Calls, create, framed, paths, put, range } from './calls.ts'

let proxy: Proxy
let etcd: EtcdServer
beforeAll(async () => {
  ;[proxy, etcd] = await Promise.all([startProxy(), startEtcd()])
})
afterAll(() => Promise.all([proxy.end(), etcd.end()]))

async function lineToEtcd(): Promise<ProxyLine> {
  const line = await proxy.line({ upstreams: [{ host: '127.0.0.1', port: etcd.port }], framing: 'grpc' })
  onTestFinished(() => line.close())
  return line
}

/** What a client writes that makes these calls, to a server that only listens, up to this text. */
async function written(make: (calls: Calls) => void, last: string): Promise<Buffer> {
  const chunks: Buffer[] = []
  const server = createServer((socket) => void socket.on('data', (chunk) => chunks.push(chunk)))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  onTestFinished(() => void server.close())
  make(new Calls((server.address() as AddressInfo).port))
  await until('all has been written', () => Buffer.concat(chunks).includes(last))
  return Buffer.concat(chunks)
}

test('each message of a client is counted when it is complete, wherever the stream is cut', async () => {
  const last = 'the last one'
  const bytes = await written((calls) => {
    void calls.unary(paths.range, range('a')).catch(() => {})
    void calls.unary('/etcdserverpb.Lease/LeaseLeases', Buffer.alloc(0)).catch(() => {})
    const both = calls.stream('/etcdserverpb.Lease/LeaseKeepAlive')
    both.write(Buffer.concat([framed(Buffer.from('b')), framed(Buffer.alloc(0)), framed(Buffer.from('c'))]))
    both.write(framed(Buffer.alloc(300, 'd')))
    both.end(framed(Buffer.from(last)))
  }, last)
  for (let size = 1; size <= bytes.length; size++) {
    const framing = framings.grpc()
    let count = 0
    for (let at = 0; at < bytes.length; at += size) count += framing.read(bytes.subarray(at, at + size))
    expect(count).toBe(7)
    expect(framing.listens).toBe(false)
  }
})

test('a connection with a stream of notifications is known by its path', async () => {
  const bytes = await written((calls) => {
    void calls.unary(paths.range, range('a')).catch(() => {})
    calls.stream(paths.watch).write(framed(create('the key')))
  }, 'the key')
  const framing = framings.grpc()
  for (const byte of bytes) framing.read(Buffer.of(byte))
  expect(framing.listens).toBe(true)
})

test('calls pass, and are counted; what keeps the connection alive is not', async () => {
  const line = await lineToEtcd()
  const calls = new Calls(line.ports[0])
  await calls.unary(paths.put, put('a'))
  expect(String(await calls.unary(paths.range, range('a')))).toContain('value')
  const ping = promisify((then: (error: Error | null) => void) => calls.session.ping(then))
  await ping()
  expect([await line.wire.sent(), await line.wire.roundTrips()]).toEqual([2, 2])
  await Promise.all([1, 2, 3].map(() => calls.unary(paths.range, range('a'))))
  expect(await line.wire.sent()).toBe(5)
  expect(await line.wire.roundTrips()).toBeLessThanOrEqual(5)
})

test('notifications do not reach the deaf, whose other connections work', async () => {
  const line = await lineToEtcd()
  const [listening, other] = [new Calls(line.ports[0]), new Calls(line.ports[0])]
  const stream = listening.stream(paths.watch)
  let heard = ''
  stream.on('data', (chunk) => (heard += String(chunk)))
  stream.write(framed(create('b')))
  await once(stream, 'data')
  await etcd.ctl('put', 'b', 'first')
  await until('it is heard of', () => heard.includes('first'))
  await line.wire.deafen()
  await etcd.ctl('put', 'b', 'second')
  expect(String(await other.unary(paths.range, range('b')))).toContain('second')
  await line.wire.heal()
  await listening.closed
  expect(heard).not.toContain('second')
  expect(String(await other.unary(paths.range, range('b')))).toContain('second')
})

test('an answer that is lost belongs to a call that the server has heard', async () => {
  const line = await lineToEtcd()
  const calls = new Calls(line.ports[0])
  await calls.unary(paths.put, put('c'))
  await line.wire.dropAnswers()
  void calls.unary(paths.put, put('d')).catch(() => {})
  await until('it is applied', async () => (await etcd.keys('d')).length === 1)
  await line.wire.heal()
  await calls.closed
})
