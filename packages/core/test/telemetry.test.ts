import { LockManager, type LockEvents } from '@locks/core'
import { memory } from '@locks/core/memory'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { afterEach, expect, test } from 'vitest'
import { FakeClock } from './fake-clock.ts'

const ttl = 10_000
const seen: { channel: string; message: Record<string, unknown> }[] = []
const listeners: [string, (message: unknown) => void][] = []

function listen(...channels: (keyof LockEvents)[]): void {
  for (const channel of channels) {
    react(channel, (message) => seen.push({ channel, message: message as Record<string, unknown> }))
  }
}

function react(channel: keyof LockEvents, listener: (message: unknown) => void): void {
  subscribe(channel, listener)
  listeners.push([channel, listener])
}

afterEach(() => {
  for (const [channel, listener] of listeners.splice(0)) unsubscribe(channel, listener)
  seen.length = 0
})

const channels = () => seen.map(({ channel }) => channel)

test('one attempt object goes through everything that is said of a lock', async () => {
  const clock = new FakeClock()
  const locks = new LockManager(memory(), { clock, ttl, namespace: 'shop' })
  listen('locks:request', 'locks:granted', 'locks:released')
  const lock = await locks.acquire('a/b', { mode: 'shared' })
  await clock.advance(250)
  await lock.release()
  expect(channels()).toEqual(['locks:request', 'locks:granted', 'locks:released'])
  const [asked, granted, released] = seen.map(({ message }) => message)
  expect(asked?.['attempt']).toMatchObject({ names: ['a/b'], mode: 'shared', backend: 'memory', namespace: 'shop' })
  expect(granted).toMatchObject({ tokens: [lock.token], waited: 0 })
  expect(released).toMatchObject({ tokens: [lock.token], held: 250 })
  expect(granted?.['attempt']).toBe(asked?.['attempt'])
  expect(released?.['attempt']).toBe(asked?.['attempt'])
  await locks.close()
})

test('a wait is told by its end: queued, then granted, failed or refused, with how long it took', async () => {
  const clock = new FakeClock()
  const locks = new LockManager(memory(), { clock, ttl })
  const holder = await locks.acquire('a')
  listen('locks:queued', 'locks:granted', 'locks:failed', 'locks:refused')
  const waiting = locks.acquire('a')
  const late = locks.acquire('a', { timeout: 100 }).catch((error: unknown) => error)
  expect(await locks.tryAcquire('a')).toBe(null)
  await clock.advance(300)
  await holder.release()
  await (await waiting).release()
  expect(channels()).toEqual(['locks:queued', 'locks:queued', 'locks:refused', 'locks:failed', 'locks:granted'])
  expect(seen[3]?.message).toMatchObject({ waited: 100, error: await late })
  expect(seen[4]?.message).toMatchObject({ waited: 300 })
  await locks.close()
})

test('renewals, sessions and losses are told', async () => {
  const clock = new FakeClock()
  const locks = new LockManager(memory(), { clock, ttl })
  listen('locks:session', 'locks:renewed', 'locks:lost')
  await locks.acquire('a')
  await clock.advance(ttl / 2)
  await locks.acquire('a', { steal: true })
  await locks.close()
  expect(channels()).toEqual(['locks:session', 'locks:renewed', 'locks:lost', 'locks:lost'])
  expect(seen[0]?.message).toMatchObject({ backend: 'memory', state: 'opened' })
  expect(seen[1]?.message).toMatchObject({ claims: 1, took: 0 })
  expect(seen.slice(2).map(({ message }) => message['reason'])).toEqual(['stolen', 'closed'])
})

test('a grant says how many of its manager have had the lock by it: none, unless it was handed over', async () => {
  const locks = new LockManager(memory(), { clock: new FakeClock(), ttl, handover: 'local' })
  listen('locks:granted')
  const holder = await locks.acquire('a')
  const line = [locks.acquire('a'), locks.acquire('a')]
  await holder.release()
  for (const next of line) await (await next).release()
  await (await locks.acquire('a')).release()
  expect(seen.map(({ message }) => message['turn'])).toEqual([0, 1, 2, 0])
  await locks.close()
})

test('who gives up as the grant is told comes too late, and has the lock', async () => {
  const locks = new LockManager(memory(), { clock: new FakeClock(), ttl, handover: 'local' })
  const holder = await locks.acquire('a')
  const abort = new AbortController()
  react('locks:granted', () => abort.abort())
  const next = locks.acquire('a', { signal: abort.signal })
  await holder.release()
  const lock = await next
  expect(await lock.release()).toBe('released')
  expect(await locks.tryAcquire('a')).not.toBe(null)
  await locks.close()
})

test('who gives up as a failure is told fails once, and one of the line comes after it', async () => {
  const clock = new FakeClock()
  const backend = memory()
  const [others, locks] = [
    new LockManager(backend, { clock, ttl }),
    new LockManager(backend, { clock, ttl, handover: 'local' }),
  ]
  await others.acquire('a')
  const abort = new AbortController()
  react('locks:failed', () => abort.abort())
  listen('locks:failed')
  const late = locks.acquire('a', { signal: abort.signal, timeout: 100 })
  for (let each = 0; each < 3; each++) locks.acquire('a').catch(() => {})
  await Promise.all([expect(late).rejects.toMatchObject({ code: 'TIMEOUT' }), clock.advance(200)])
  expect(channels()).toEqual(['locks:failed'])
  expect((await others.query('a')).pending).toHaveLength(1)
  await Promise.all([others.close(), locks.close()])
})
