import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { startProxy, startRedis, type Proxy, type ProxyLine, type RedisServer } from '../../src/index.ts'
import { until } from '../../src/until.ts'
import { isRunning, ownedElsewhere } from '../owned.ts'
import { dial, resp } from './peers.ts'

let proxy: Proxy
let redis: RedisServer
beforeAll(async () => {
  ;[proxy, redis] = await Promise.all([startProxy(), startRedis()])
})
afterAll(() => Promise.all([proxy.end(), redis.end()]))

async function lineToRedis(): Promise<ProxyLine> {
  const line = await proxy.line({ upstreams: [{ host: '127.0.0.1', port: redis.port }], framing: 'resp' })
  onTestFinished(() => line.close())
  return line
}

test('requests that arrive when it heals are applied by the server, those of a killed client too', async () => {
  const line = await lineToRedis()
  const client = await dial(line.ports[0])
  await line.wire.silence()
  client.send(resp('INCR', 'a'))
  client.socket.destroy()
  const other = await dial(line.ports[0])
  other.send(resp('INCRBY', 'b', '2') + resp('GET', 'b'))
  expect(await line.wire.sent()).toBe(3)
  expect(await redis.cli('MGET', 'a', 'b')).toBe('')
  await line.wire.heal()
  await other.has(':2\r\n$1\r\n2\r\n')
  await until('the late request is applied', async () => (await redis.cli('GET', 'a')) === '1')
})

test('of a request without an answer, the server has heard', async () => {
  const line = await lineToRedis()
  const client = await dial(line.ports[0])
  await line.wire.dropAnswers()
  client.send(resp('SET', 'c', '1'))
  await until('it is applied', async () => (await redis.cli('GET', 'c')) === '1')
  await line.wire.heal()
  expect(await client.closed).toBe('ECONNRESET')
  expect(client.received).toBe('')
})

test('what the server publishes does not reach the deaf, and does when it was only late', async () => {
  const line = await lineToRedis()
  const [listener, other] = [await dial(line.ports[0]), await dial(line.ports[0])]
  const subscribed = '*3\r\n$9\r\nsubscribe\r\n$1\r\nd\r\n:1\r\n'
  const message = '*3\r\n$7\r\nmessage\r\n$1\r\nd\r\n$2\r\nhi\r\n'
  listener.send(resp('SUBSCRIBE', 'd'))
  await listener.has(subscribed)
  await line.wire.delayAnswers()
  expect(await redis.cli('PUBLISH', 'd', 'hi')).toBe('1')
  expect(listener.received).toBe(subscribed)
  await line.wire.heal()
  await listener.has(subscribed + message)
  await line.wire.deafen()
  other.send(resp('PUBLISH', 'd', 'hi'))
  await other.has(':1\r\n')
  await line.wire.heal()
  expect(await listener.closed).toBe('ECONNRESET')
  expect(listener.received).toBe(subscribed + message)
})

test('an answer can be altered on its way', async () => {
  const line = await lineToRedis()
  const runId = /run_id:(\w+)/.exec(await redis.cli('INFO', 'server'))?.[1] ?? ''
  await line.rewrite(`run_id:${runId}`, `run_id:${'0'.repeat(runId.length)}`)
  const client = await dial(line.ports[0])
  client.send(resp('INFO', 'server'))
  await until('all of the answer has come', () => {
    const [header = '', length] = /^\$(\d+)\r\n/.exec(client.received) ?? []
    return length !== undefined && client.received.length === header.length + Number(length) + 2
  })
  expect(client.received).toContain(`run_id:${'0'.repeat(runId.length)}\r\n`)
  expect(client.received).not.toContain(runId)
})

test('a proxy does not outlive a process that is killed', async () => {
  const { owner, pid } = await ownedElsewhere('proxy')
  expect(isRunning(pid)).toBe(true)
  owner.kill('SIGKILL')
  await until('the proxy is gone', () => !isRunning(pid))
})
