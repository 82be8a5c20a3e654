import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { etcd } from '@locks/etcd'
import { startEtcd } from '@locks/testkit'
import { afterAll, expect, test } from 'vitest'
import { cleanup, leftAt, open, queued, until } from './fixtures.ts'
import type { Said } from './holder.ts'

const server = await startEtcd()
afterAll(() => server.end())

const ttl = 2_000
/** What is promised beside the ttl. */
const slack = 2_000

/** A process that holds a lock. */
async function holder(name: string) {
  const program = fileURLToPath(new URL('./holder.ts', import.meta.url))
  const args = ['--conditions=@locks/source', program, server.url, name, String(ttl)]
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  cleanup(async () => {
    child.kill('SIGKILL')
    await exited
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const said = async () => JSON.parse((await lines.next()).value as string) as Said
  return { child, said, token: BigInt((await said()).token) }
}

/** What a lock protects: it refuses whoever comes with a token older than one that it has seen. */
class Register {
  #newest = 0n

  write(token: bigint): boolean {
    if (token < this.#newest) return false
    this.#newest = token
    return true
  }
}

test('a holder that is killed hands over within ttl + 2 s, and leaves nothing', async () => {
  const { child, token } = await holder('killed')
  const locks = await open(etcd({ url: server.url }), { ttl })
  const waiting = locks.acquire('killed')
  await queued(locks, 'killed', 1)
  const began = performance.now()
  child.kill('SIGKILL')
  const lock = await waiting
  const took = performance.now() - began
  console.log(`handed over ${took.toFixed()} ms after the holder was killed, with a ttl of ${ttl} ms`)
  expect(took).toBeLessThan(ttl + slack)
  expect(lock.token).toBeGreaterThan(token)
  expect(lock.held).toBe(true)
  await locks.close()
  await until('its lease is gone as well', async () => (await leftAt(server)).length === 0)
})

test('a holder that is stopped for three ttl is replaced, knows it at once, and its late write is refused', async () => {
  const register = new Register()
  const { child, token, said } = await holder('stopped')
  expect(register.write(token)).toBe(true)
  const locks = await open(etcd({ url: server.url }), { ttl })
  const waiting = locks.acquire('stopped')
  await queued(locks, 'stopped', 1)
  const began = performance.now()
  child.kill('SIGSTOP')
  const lock = await waiting
  const took = performance.now() - began
  console.log(`replaced ${took.toFixed()} ms after the holder was stopped, with a ttl of ${ttl} ms`)
  expect(took).toBeLessThan(ttl + slack)
  expect(register.write(lock.token)).toBe(true)
  await until('three ttl have passed', () => performance.now() - began > 3 * ttl)
  expect(lock.held).toBe(true)
  child.stdin.write('act\n')
  child.kill('SIGCONT')
  const late = await said()
  expect(late.refused).toBe('LOST')
  expect(register.write(BigInt(late.token))).toBe(false)
  expect(lock.held).toBe(true)
  await lock.release()
})
