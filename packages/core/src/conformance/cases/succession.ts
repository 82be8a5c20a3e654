import assert from 'node:assert/strict'
import type { Lock } from '../../lock.ts'
import type { LockManager } from '../../manager.ts'
import type { Case } from '../case.ts'
import type { Context } from '../context.ts'
import type { Wire } from '../harness.ts'

interface Succession {
  readonly name: string
  readonly silent: LockManager
  readonly wire: Wire
  readonly late: Lock
  readonly other: LockManager
  readonly next: Lock
}

/** A holder that fell silent, and the one that got the lock when it had expired. */
async function succeed(t: Context): Promise<Succession> {
  const { locks: silent, wire } = await t.openWired({ ttl: t.ttl })
  const other = await t.open({ ttl: 4 * t.ttl })
  const name = t.name()
  const late = await silent.acquire(name)
  await wire.silence()
  const waiting = other.acquire(name)
  await t.settles(waiting, t.ttl + t.capabilities.takeover)
  return { name, silent, wire, late, other, next: await waiting }
}

export const succession: readonly Case[] = [
  {
    id: 'succession/late-renewal',
    line: 5,
    title: 'renewals that reach the store after the lock has expired take nothing from the next holder',
    async run(t) {
      const { name, silent, wire, late, other, next } = await succeed(t)
      const { expiresAt } = next
      await wire.heal()
      await t.until('the next holder has renewed its lock or lost it', () => !next.held || next.expiresAt > expiresAt)
      assert.deepEqual([late.held, next.held, next.signal.aborted], [false, true, false])
      assert.equal(await silent.tryAcquire(name), null)
      assert.equal((await other.query(name)).held.length, 1)
      assert.equal(await next.release(), 'released')
    },
  },
  {
    id: 'succession/release',
    line: 6,
    title: 'who got the lock because it had expired releases it like anybody else',
    async run(t) {
      const { name, wire, other, next } = await succeed(t)
      assert.equal(await next.release(), 'released')
      await t.empty(other, name, 2_000)
      await wire.heal()
      assert.ok(await other.tryAcquire(name))
    },
  },
]
