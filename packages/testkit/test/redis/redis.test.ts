import { readFileSync } from 'node:fs'
import { connect } from 'node:tls'
import { once } from 'node:events'
import { expect, onTestFinished, test } from 'vitest'
import { makeCertificates, startRedis, type RedisOptions, type RedisServer } from '../../src/index.ts'

async function redis(options?: RedisOptions): Promise<RedisServer> {
  const server = await startRedis(options)
  onTestFinished(() => server.end())
  return server
}

test.for([true, false])('appendonly %s: whether data survives a restart', async (appendonly) => {
  const server = await redis({ appendonly })
  expect(await server.cli('SET', 'a', 'b')).toBe('OK')
  await server.restart()
  expect(await server.cli('GET', 'a')).toBe(appendonly ? 'b' : '')
})

test('settings and users are those that were asked for', async () => {
  const server = await redis({
    config: { maxmemory: '10mb', 'client-output-buffer-limit': 'normal 1 2 3' },
    users: ['app on >secret ~app:* +@all'],
  })
  expect(await server.cli('CONFIG', 'GET', 'maxmemory')).toBe(`maxmemory\n${10 * 1024 * 1024}`)
  const asApp = ['--user', 'app', '--pass', 'secret']
  expect(await server.cli(...asApp, 'SET', 'app:a', 'b')).toBe('OK')
  await expect(server.cli(...asApp, 'SET', 'other', 'b')).rejects.toThrow('NOPERM')
})

test('an error answer is thrown', async () => {
  const server = await redis()
  await server.cli('SET', 'a', 'b')
  await expect(server.cli('HGET', 'a', 'b')).rejects.toThrow('WRONGTYPE')
})

test('TLS is all that a TLS server speaks, and its certificate is good for its addresses', async () => {
  const tls = await makeCertificates()
  const server = await redis({ tls })
  expect(server.url).toBe(`rediss://127.0.0.1:${server.port}`)
  expect(await server.cli('PING')).toBe('PONG')
  for (const host of ['127.0.0.1', 'localhost']) {
    const socket = connect({ host, port: server.port, ca: readFileSync(tls.ca) })
    onTestFinished(() => void socket.destroy())
    await once(socket, 'secureConnect')
    expect(socket.authorized).toBe(true)
  }
})
