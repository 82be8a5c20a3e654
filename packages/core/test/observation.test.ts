import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { LockError, LockManager } from '@locks/core'
import type { Backend, Session } from '@locks/core/backend'
import { memory } from '@locks/core/memory'
import { expect, test } from 'vitest'
import { FakeClock, settled } from './fake-clock.ts'
import { altered } from './museum/boundary.ts'

interface Seen {
  looks: number
  watches: number
}

/** Counts what an observation asks of its session, and watches in another way. */
function counting(seen: Seen, watch: NonNullable<Session['watch']>): Backend {
  return altered(memory(), (session) => ({
    query(name) {
      seen.looks++
      return session.query(name)
    },
    watch(name, changed) {
      seen.watches++
      return watch(name, changed)
    },
  }))
}

const ttl = 3_000

test('it looks three times a ttl, also while the store does not say whether it watches', async () => {
  const seen = { looks: 0, watches: 0 }
  const clock = new FakeClock()
  const locks = new LockManager(
    counting(seen, () => new Promise(() => {})),
    { ttl, clock },
  )
  await locks.connect()
  const leaders = locks.election('name').observe()
  expect(await leaders.next()).toEqual({ value: null })
  expect(seen.looks).toBe(1)
  await clock.advance(ttl)
  expect(seen.looks).toBe(4)
  await locks.election('name').campaign({ value: 'unheard of' })
  const next = leaders.next()
  await clock.advance(ttl / 3)
  expect((await next).value?.value).toBe('unheard of')
  await locks.close()
})

test('a watch that comes into force brings a look, and so does each of its news', async () => {
  const seen = { looks: 0, watches: 0 }
  const begun = Promise.withResolvers<() => void>()
  let tell = () => {}
  const watch: NonNullable<Session['watch']> = (_, changed) => {
    tell = changed
    return begun.promise
  }
  const locks = new LockManager(counting(seen, watch), { ttl, clock: new FakeClock() })
  await locks.connect()
  const leaders = locks.election('name').observe()
  await leaders.next()
  let ended = 0
  begun.resolve(() => ended++)
  await settled()
  expect(seen).toEqual({ looks: 2, watches: 1 })
  tell()
  await settled()
  expect(seen.looks).toBe(3)
  await leaders.return?.()
  await settled()
  expect(ended).toBe(1)
  tell()
  await settled()
  expect(seen.looks).toBe(3)
  await locks.close()
})

test('once it has ended it asks for nothing and leaves no timer, also where its watch comes late', async () => {
  const seen = { looks: 0, watches: 0 }
  const clock = new FakeClock()
  const late = Promise.withResolvers<() => void>()
  const locks = new LockManager(
    counting(seen, () => late.promise),
    { ttl, clock },
  )
  await locks.connect()
  const leaders = locks.election('name').observe()
  await leaders.next()
  const pending = leaders.next()
  await leaders.return?.()
  expect(await pending).toEqual({ done: true, value: undefined })
  let ended = 0
  late.resolve(() => ended++)
  await settled()
  await clock.advance(10 * ttl)
  expect([seen.looks, ended, clock.timers]).toEqual([1, 1, 0])
  await locks.close()
})

test('a watch that fails is asked for again, with pauses', async () => {
  const seen = { looks: 0, watches: 0 }
  const clock = new FakeClock()
  const locks = new LockManager(
    counting(seen, () => Promise.reject(new LockError('UNAVAILABLE', 'not now'))),
    { ttl, clock },
  )
  await locks.connect()
  const leaders = locks.election('name').observe()
  await leaders.next()
  await clock.advance(10_000)
  expect(seen.watches).toBeGreaterThan(5)
  expect(seen.watches).toBeLessThan(30)
  expect(seen.looks).toBe(11)
  await locks.close()
})

test('many observations that come and go leave nothing behind', async () => {
  const locks = new LockManager(memory(), { ttl })
  await locks.connect()
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void
  const gone: WeakRef<object>[] = []
  for (let each = 0; each < 50; each++) {
    const leaders = locks.election('name').observe()
    gone.push(new WeakRef(leaders))
    await leaders.next()
    await leaders.return?.()
  }
  await settled()
  gc()
  // The last may still be on the stack.
  expect(gone.filter((each) => each.deref() !== undefined).length).toBeLessThanOrEqual(1)
  await locks.close()
})
