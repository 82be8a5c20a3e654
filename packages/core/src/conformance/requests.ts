import assert from 'node:assert/strict'
import type { AcquireOptions } from '../demand.ts'
import { LockError } from '../errors.ts'
import type { Lock } from '../lock.ts'
import type { LockManager } from '../manager.ts'

/** What the cases about `request` share. */
export const never = new Promise<never>(() => {})
export const uncalled = (): never => assert.fail('this must not be called')

export function isDomException(error: unknown, name: 'NotSupportedError' | 'AbortError'): void {
  assert.ok((error as Error).constructor === DOMException, String(error))
  const { name: found, code } = error as DOMException
  assert.deepEqual([found, code], [name, name === 'AbortError' ? 20 : 9])
  assert.ok(LockError.is(error, name === 'AbortError' ? 'LOST' : 'UNSUPPORTED'))
}

/** A request whose callback has been called, and how it ends. */
export async function holder(locks: LockManager, name: string, options: AcquireOptions = {}) {
  const granted = Promise.withResolvers<Lock>()
  const work = Promise.withResolvers<unknown>()
  const call = locks.request(name, options, (lock) => {
    granted.resolve(lock)
    return work.promise
  })
  return { call, lock: await granted.promise, finish: work.resolve, fail: work.reject }
}
