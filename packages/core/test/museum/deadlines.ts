import type { Backend, Instant, Proof, SessionOptions } from '@locks/core/backend'
import { altered, insistent, reproved, restated, type Piece } from './boundary.ts'

const fresh =
  ({ clock }: SessionOptions) =>
  (proof: Proof) => ({ ...proof, sent: clock.now() })

/** A deadline that each read puts off, until a timer ends it. */
function timed({ clock }: SessionOptions): (proof: Proof) => Proof {
  return ({ sent, ttl }) => {
    let end: Instant | undefined
    clock.after(ttl - 250, () => (end = sent))
    return {
      ttl,
      get sent() {
        return end ?? clock.now()
      },
    }
  }
}

export const deadlines: readonly Piece[] = [
  {
    defect: 'counts the deadline from the receipt of a grant',
    seenIn: 'redlock-universal; redis-semaphore and node-redlock, which gave out a lock with -110 ms left',
    caughtBy: 'deadline/from-the-sending-of-an-acquire',
    adapter: (backend) =>
      altered(backend, (session, options) => ({
        acquire: async (request) => reproved(await session.acquire(request), fresh(options)),
      })),
  },
  {
    defect: 'counts the deadline from the receipt of a renewal’s answer',
    seenIn: 'madelson/DistributedLock',
    caughtBy: 'deadline/from-the-sending-of-a-renewal',
    adapter: (backend) =>
      altered(backend, (session, options) => ({
        renew: (claims) => restated(session, claims, (standing) => reproved(standing, fresh(options))),
      })),
  },
  {
    defect: 'takes the arrival of the news of a grant for a proof',
    caughtBy: 'deadline/from-the-waiters-last-proof',
    adapter: (backend) =>
      altered(
        backend,
        () => ({}),
        (options) => ({ granted: (grant) => options.events.granted(reproved(grant, fresh(options))) }),
      ),
  },
  {
    defect: 'knows of a loss by a timer only',
    seenIn: 'redlock-universal',
    caughtBy: 'deadline/stalled-event-loop',
    adapter: (backend) =>
      altered(backend, (session, options) => ({
        acquire: async (request) => reproved(await session.acquire(request), timed(options)),
        renew: (claims) => restated(session, claims, (standing) => reproved(standing, timed(options))),
      })),
  },
  {
    defect: 'creates a lost lock anew when it renews',
    seenIn: 'redis-semaphore',
    caughtBy: 'loss/evicted',
    store: (backend) => reviving(backend, false),
  },
  {
    defect: 'takes an expired lock back from the next holder when the renewal is late',
    caughtBy: 'succession/late-renewal',
    store: (backend) => reviving(backend, true),
  },
]

/** What is not there any more is there again when it has been renewed, as if nothing had happened. */
function reviving(backend: Backend, steal: boolean): Backend {
  const names = new Map<string, readonly string[]>()
  const noting = altered(backend, (session) => ({
    acquire(request) {
      names.set(request.id, request.names)
      return session.acquire(request)
    },
  }))
  return insistent(noting, async (standing, id, session) => {
    if (typeof standing === 'object') return true
    const request = { id, names: names.get(id) ?? [], mode: 'exclusive', wait: false, steal } as const
    return (await session.acquire(request)) !== null
  })
}
