import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { expect, onTestFinished, test, vi } from 'vitest'
import { startRedis, type RedisOptions, type RedisServer } from '../src/index.ts'
import { until } from '../src/until.ts'
import { isRunning, ownedElsewhere } from './owned.ts'

async function redis(options?: RedisOptions): Promise<RedisServer> {
  const server = await startRedis(options)
  onTestFinished(() => server.end())
  return server
}

test('a server answers once it is started, and leaves nothing behind', async () => {
  const server = await redis()
  const { pid, folder } = server
  expect(await server.cli('PING')).toBe('PONG')
  expect(readdirSync(folder)).toContain('redis.conf')
  await server.end()
  expect([isRunning(pid), existsSync(folder)]).toEqual([false, false])
  await server.end()
})

test('a restarted server is another process on the same port and folder', async () => {
  const server = await redis()
  const { pid, port, folder } = server
  await server.restart()
  expect(server.pid).not.toBe(pid)
  expect(isRunning(pid)).toBe(false)
  expect([server.port, server.folder]).toEqual([port, folder])
  expect(await server.cli('PING')).toBe('PONG')
})

test('a stopped server answers when it continues', async () => {
  const server = await redis()
  await server.stop()
  let answered = false
  const answer = server.cli('PING').finally(() => (answered = true))
  // Another one is started and asked in the meantime.
  expect(await (await redis()).cli('PING')).toBe('PONG')
  expect(answered).toBe(false)
  await server.continue()
  expect(await answer).toBe('PONG')
})

test('a stopped server can be killed, and a killed one ended', async () => {
  const server = await redis()
  const { pid } = server
  await server.stop()
  await server.kill()
  expect(isRunning(pid)).toBe(false)
  await server.stop()
  await server.end()
})

test('what a server has started itself ends with it', async () => {
  const server = await redis({ config: { 'rdb-key-save-delay': '1000000000' } })
  await server.cli('SET', 'a', 'b')
  await server.cli('BGSAVE')
  const child = await until('it is saving', () => {
    const log = readFileSync(join(server.folder, 'output.log'), 'utf8')
    return Number(/Background saving started by pid (\d+)/.exec(log)?.[1]) || undefined
  })
  expect(isRunning(child)).toBe(true)
  await server.end()
  await until('its child is gone', () => !isRunning(child))
  expect(existsSync(server.folder)).toBe(false)
})

test('a server that ends before it is ready is an error that says why', async () => {
  await expect(startRedis({ config: { nonsense: '1' } })).rejects.toThrow(/before it was ready:[^]*nonsense 1/)
  const { port } = await redis()
  await expect(startRedis({ port })).rejects.toThrow(/before it was ready:[^]*Address already in use/)
})

test('a server that is not installed is an error that says how to', async () => {
  const empty = mkdtempSync(join(tmpdir(), 'locks-path-'))
  onTestFinished(() => rmSync(empty, { recursive: true }))
  vi.stubEnv('PATH', empty)
  onTestFinished(() => void vi.unstubAllEnvs())
  await expect(startRedis()).rejects.toThrow(
    'redis-server must be installed: sudo apt-get install -y --no-install-recommends redis-server',
  )
})

test('a server does not outlive a process that is killed with all its group, nor does its folder', async () => {
  const { owner, pid, folder } = await ownedElsewhere('redis')
  expect([isRunning(pid), existsSync(folder)]).toEqual([true, true])
  process.kill(-(owner.pid ?? NaN), 'SIGKILL')
  await until('the server is gone', () => !isRunning(pid))
  await until('its folder is gone', () => !existsSync(folder))
})

test('a server does not outlive a process that ends, even if it stands still', async () => {
  const { owner, pid, folder } = await ownedElsewhere('redis')
  process.kill(pid, 'SIGSTOP')
  owner.kill('SIGTERM')
  await until('the server is gone', () => !isRunning(pid))
  await until('its folder is gone', () => !existsSync(folder))
})
