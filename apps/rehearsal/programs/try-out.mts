import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type { LockManager } from '@locks/core'

/** Two managers that exclude each other, and leave nothing behind that would keep this process from ending. */
export async function tryOut(open: () => Promise<LockManager>): Promise<void> {
  const [one, other] = await Promise.all([open(), open()])
  try {
    const name = `order:${randomUUID()}`
    const lock = await one.acquire(name, { timeout: 20_000 })
    lock.assertHeld()
    assert.equal(await other.tryAcquire(name), null)
    const next = other.request(name, (granted) => granted.token)
    assert.equal(await lock.release(), 'released')
    assert.ok((await next) > lock.token)
  } finally {
    await Promise.all([one.close(), other.close()])
  }
}
