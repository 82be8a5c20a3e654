import { LockManager } from '@locks/core'
import { quorum } from '@locks/core/quorum'
import type { RedisServer } from '@locks/testkit'
import { expect, test } from 'vitest'
import { at, cleanup, server, until } from './support.ts'

async function servers(): Promise<[RedisServer, RedisServer, RedisServer]> {
  return Promise.all([server(), server(), server()])
}

function locksOn(nodes: readonly RedisServer[]): LockManager {
  const locks = new LockManager(quorum(nodes.map(({ url }) => at(url))), { ttl: 2_000 })
  cleanup(() => locks.close())
  return locks
}

test('a lock outlives the loss of any one server, and is handed over with a higher token', async () => {
  const nodes = await servers()
  const [a, b] = [locksOn(nodes), locksOn(nodes)]
  await Promise.all([a.connect(), b.connect()])
  for (const node of nodes) {
    const lock = await a.acquire('one')
    // A vote that the next one got first would be missing when another node is lost.
    for (const each of nodes) await until(async () => (await queried(each, 'one')).held.length === 1)
    const next = b.acquire('one')
    await until(async () => (await b.query('one')).pending.length === 1)
    // A vote that came after the majority's counts from the next renewal on.
    const granted = lock.expiresAt
    await until(() => lock.expiresAt > granted + 1_000)
    await node.kill()
    const { expiresAt } = lock
    await until(() => lock.expiresAt > expiresAt + 1_000)
    expect(await lock.release()).toBe('released')
    const later = await next
    expect(later.token).toBeGreaterThan(lock.token)
    await later.release()
    await node.restart()
    // All three again, before the next one goes.
    const after = await a.acquire('two')
    await until(async () => (await queried(node, 'two')).held.length === 1)
    await after.release()
  }
})

async function queried({ url }: RedisServer, name: string) {
  const locks = new LockManager(at(url))
  try {
    return await locks.query(name)
  } finally {
    await locks.close()
  }
}
