import { LockManager } from '@locks/core'
import type { Backend, Session } from '@locks/core/backend'
import { memory } from '@locks/core/memory'
import { expect, test } from 'vitest'
import { FakeClock } from './fake-clock.ts'

/** Never answers a removal. */
function silentAboutRemovals(leases: Session['leases'], sessions: Session[]): Backend {
  const backend = memory()
  return {
    ...backend,
    async open(options) {
      const session = await backend.open(options)
      sessions.push(session)
      return {
        ttl: session.ttl,
        ordered: session.ordered,
        leases,
        ended: session.ended,
        acquire: (request) => session.acquire(request),
        renew: (claims) => session.renew(claims),
        remove: () => new Promise(() => {}),
        own: () => session.own(),
        query: (name) => session.query(name),
        close: () => session.close(),
      }
    },
  }
}

test.for([
  ['entry', true],
  ['session', false],
] as const)(
  'where the %s is the lease, a removal that takes for ever leaves other locks held: %s',
  async ([leases, held]) => {
    const sessions: Session[] = []
    const clock = new FakeClock()
    const locks = new LockManager(silentAboutRemovals(leases, sessions), { ttl: 3_000, clock })
    await locks.connect()
    const kept = await locks.acquire('kept')
    const released = (await locks.acquire('released')).release()
    await clock.advance(600)
    expect(await released).toBe('released')
    await clock.advance(6_000)
    expect(kept.held).toBe(held)
    await locks.close()
  },
)
