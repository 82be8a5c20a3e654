import { LockManager, type LockEvents } from '@locks/core'
import type { Backend, Session } from '@locks/core/backend'
import { memory } from '@locks/core/memory'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'

const channels: readonly (keyof LockEvents)[] = [
  'locks:request',
  'locks:queued',
  'locks:granted',
  'locks:refused',
  'locks:failed',
  'locks:released',
  'locks:lost',
  'locks:at-risk',
  'locks:renewed',
  'locks:session',
  'locks:node',
  'locks:warning',
]

/** Notes the id of every request, which is what the store knows its owner by. */
function recording(backend: Backend): { backend: Backend; secrets: Set<string> } {
  const secrets = new Set<string>()
  const open: Backend['open'] = async (options) => {
    const session = await backend.open(options)
    const acquire: Session['acquire'] = (request) => {
      secrets.add(request.id)
      return session.acquire(request)
    }
    return new Proxy(session, {
      get: (target, key) => {
        const value: unknown = key === 'acquire' ? acquire : Reflect.get(target, key, target)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
  }
  return { backend: { ...backend, open }, secrets }
}

function printed(value: unknown): string[] {
  const json = JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? String(each) : each))
  const hidden = { depth: Number.POSITIVE_INFINITY, showHidden: true, getters: true, maxArrayLength: null }
  return [inspect(value), inspect(value, hidden), json ?? '', String(value)]
}

async function failure(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => expect.unreachable('it did not fail'),
    (error: unknown) => error,
  )
}

describe('an owner secret', () => {
  test('is in nothing that a program can see: locks, managers, snapshots, errors, diagnostics', async () => {
    const { backend, secrets } = recording(memory())
    const seen: unknown[] = []
    const note = (message: unknown) => void seen.push(message)
    for (const channel of channels) subscribe(channel, note)

    const locks = new LockManager(backend, { ttl: 1_000 })
    const lock = await locks.acquire('a')
    const set = await locks.acquireAll(['b', 'c'])
    const shared = await locks.acquire('d', { mode: 'shared' })
    const waiting = failure(locks.acquire('a', { signal: AbortSignal.timeout(50) }))
    seen.push(lock, set, shared, lock.signal, locks, await locks.query(), locks.capabilities)
    seen.push(await failure(locks.acquire('a', { timeout: 50 })), await waiting)
    seen.push(await failure(locks.request('d', { permits: 2 }, () => {})))
    const robbed = failure(locks.request('e', () => new Promise(() => {})))
    const loot = await locks.acquire('e', { steal: true })
    seen.push(await robbed, loot)
    await set.release()
    seen.push(await failure((async () => set.assertHeld())()))
    await locks.close()
    seen.push(await failure((async () => lock.assertHeld())()), lock.signal.reason, lock, set, locks)

    for (const channel of channels) unsubscribe(channel, note)
    expect(secrets.size).toBeGreaterThan(5)
    const text = seen.flatMap(printed).join('\n')
    expect(text).toContain("'a'")
    expect([...secrets].filter((secret) => text.includes(secret))).toEqual([])
  })
})
