import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Lock } from '@locks/core'
import { startZookeeper } from '@locks/testkit'
import { afterAll, expect, test } from 'vitest'
import { cleanup, nothingIsLeftAt, open, queued, until, urlOf } from './fixtures.ts'
import type { Holding, Order, Writing } from './holder.ts'

const server = await startZookeeper({ tidies: 500 })
afterAll(() => server.end())

const ttl = 2_000
const url = urlOf(server.port)
const client = () => open(url, { ttl })

interface Child {
  readonly process: ChildProcess
  ask<T>(order: Order): Promise<T>
}

async function child(lasting = ttl): Promise<Child> {
  const program = fileURLToPath(new URL('./holder.ts', import.meta.url))
  const made = fork(program, [url, String(lasting)], { execArgv: ['--conditions=@locks/source'] })
  const exited = once(made, 'exit')
  cleanup(async () => {
    made.kill('SIGKILL')
    await exited
  })
  const next = async () => ((await once(made, 'message')) as [unknown])[0]
  await next()
  return {
    process: made,
    ask<T>(order: Order) {
      const answer = next() as Promise<T>
      made.send(order)
      return answer
    },
  }
}

/** Takes no write with a lower token than the highest that it has seen. */
class Register {
  #highest = 0n

  write(token: bigint): boolean {
    if (token < this.#highest) return false
    this.#highest = token
    return true
  }
}

test('a holder that is killed is replaced within the ttl and 2 s, and leaves nothing', async () => {
  const holder = await child()
  const { token } = await holder.ask<Holding>({ hold: ['a', 'b', 'c'], wait: [] })
  const locks = await client()
  const waiting = locks.acquire('a')
  await queued(locks, 'a', 1)
  const since = performance.now()
  holder.process.kill('SIGKILL')
  const next = await waiting
  const took = performance.now() - since
  console.log(`a killed holder was replaced after ${took.toFixed()} ms, the ttl being ${ttl}`)
  expect(took).toBeLessThan(ttl + 2_000)
  expect(next.token).toBeGreaterThan(BigInt(token))
  await locks.close()
  await nothingIsLeftAt(server)
})

test('a holder that is stopped for three ttls is replaced, knows it at once, and cannot write any more', async () => {
  const register = new Register()
  const holder = await child()
  const { token } = await holder.ask<Holding>({ hold: ['a'], wait: [] })
  expect(register.write(BigInt(token))).toBe(true)
  const locks = await client()
  const waiting = locks.acquire('a')
  await queued(locks, 'a', 1)
  const since = performance.now()
  holder.process.kill('SIGSTOP')
  const next = await waiting
  const took = performance.now() - since
  console.log(`a stopped holder was replaced after ${took.toFixed()} ms, the ttl being ${ttl}`)
  expect(took).toBeLessThan(ttl + 2_000)
  expect(register.write(next.token)).toBe(true)
  await new Promise((resolve) => setTimeout(resolve, since + 3 * ttl - performance.now()))

  // It finds the question when it goes on, and asks its lock nothing before.
  const late = holder.ask<Writing>('write')
  holder.process.kill('SIGCONT')
  const written = await late
  expect(written).toEqual({ thrown: 'LOST', token })
  expect(register.write(BigInt(written.token))).toBe(false)
  expect(next.held).toBe(true)
  await expect(next.release()).resolves.toBe('released')
  await locks.close()
})

test('tokens rise in the order of the grants when a thief overtakes those who wait', async () => {
  const [holder, first, second, thief] = [await client(), await client(), await client(), await client()]
  const grants: [who: string, token: bigint][] = []
  const note = (who: string, lock: Lock) => {
    grants.push([who, lock.token])
    return lock
  }
  const lock = note('holder', await holder.acquire('a'))
  const waiting = [first.acquire('a').then((granted) => note('first', granted))]
  await queued(holder, 'a', 1)
  waiting.push(second.acquire('a').then((granted) => note('second', granted)))
  await queued(holder, 'a', 2)
  const stolen = note('thief', await thief.acquire('a', { steal: true }))
  const again = note('the next thief', await holder.acquire('a', { steal: true }))
  await until('who was robbed knows', () => !lock.held && !stolen.held)
  await again.release()
  for (const each of waiting) await (await each).release()
  expect(grants.map(([who]) => who)).toEqual(['holder', 'thief', 'the next thief', 'first', 'second'])
  const tokens = grants.map(([, token]) => token)
  expect(tokens).toEqual(tokens.toSorted((a, b) => Number(a - b)))
  expect(new Set(tokens).size).toBe(tokens.length)
  await Promise.all([holder, first, second, thief].map((locks) => locks.close()))
  await nothingIsLeftAt(server)
})

test('1,000 locks held and 1,000 waited for by one process are one session, and a dead one leaves none of them', async () => {
  const count = 1_000
  const held = Array.from({ length: count }, (_, at) => `held ${at}`)
  const wanted = Array.from({ length: count }, (_, at) => `wanted ${at}`)
  const other = await open(url, { ttl: 20_000 })
  await Promise.all(wanted.map((name) => other.acquire(name)))
  const { sessions, ephemerals } = await server.counts()
  const holder = await child(6_000)
  await holder.ask<Holding>({ hold: held, wait: wanted })
  await queued(other, wanted.at(-1) ?? '', 1)
  await queued(other, wanted[0] ?? '', 1)
  const counts = await server.counts()
  expect(counts.sessions - sessions).toBe(1)
  // One node each, and one for the session.
  expect(counts.ephemerals - ephemerals).toBe(2 * count + 1)
  const connections = (await server.ask('cons')).split('\n').filter((line) => /sid=0x[1-9a-f]/.test(line))
  expect(connections).toHaveLength(counts.sessions)
  holder.process.kill('SIGKILL')
  await Promise.all(held.map((name) => other.acquire(name, { timeout: 20_000 })))
  await other.close()
  await nothingIsLeftAt(server)
})
