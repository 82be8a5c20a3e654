import { LockError, type Claim, type Session } from '@locks/core/backend'
import { altered, restated, type Piece } from './boundary.ts'
import { lobby } from './lobby.ts'

export const queues: readonly Piece[] = [
  {
    defect: 'serves the last one first, and calls that first in, first out',
    caughtBy: 'queue/arrival',
    store: (backend) => lobby(backend, { turn: (guests) => guests.toReversed() }),
  },
  {
    defect: 'lets a try barge past those who wait',
    caughtBy: 'queue/try-behind-waiters',
    store: (backend) => lobby(backend, { barges: ({ wait }) => !wait }),
  },
  {
    defect: 'lets readers overtake a writer who waits',
    caughtBy: 'queue/shared-behind-exclusive',
    store: (backend) => lobby(backend, { barges: ({ mode }) => mode === 'shared', headOfLine: false }),
  },
  {
    defect: 'lets light permits overtake a heavy one',
    caughtBy: 'queue/light-behind-heavy',
    store: (backend) => lobby(backend, { barges: ({ mode }) => mode === 'permit', headOfLine: false }),
  },
  {
    defect: 'wakes nobody when a lock is released: whoever waits has to look again',
    seenIn: 'verrou, redis-semaphore, redlock-universal, node-redlock: they poll',
    caughtBy: 'liveness/notified',
    store: (backend) => lobby(backend, { wakes: false }),
  },
  {
    defect: 'wakes everybody who waits when a lock is released, and each of them asks again',
    caughtBy: 'queue/no-herd',
    store(backend) {
      const waiting = new Map<string, { claim: Claim; session: Session; wake: () => void }>()
      return altered(
        backend,
        (session, { events }) => ({
          async acquire(request) {
            const answer = await session.acquire(request)
            const wake = () => events.lost(request.id, 'gone')
            if (answer === 'queued') waiting.set(request.id, { claim: request, session, wake })
            return answer
          },
          async remove(claim) {
            waiting.delete(claim.id)
            const roused = [...waiting.values()].filter((each) => each.claim.names[0] === claim.names[0])
            for (const each of roused) {
              waiting.delete(each.claim.id)
              await each.session.remove(each.claim)
            }
            const found = await session.remove(claim)
            for (const { wake } of roused) wake()
            return found
          },
        }),
        ({ events }) => ({
          granted(grant) {
            waiting.delete(grant.id)
            events.granted(grant)
          },
        }),
      )
    },
  },
  {
    defect: 'tells of a grant once, and never again when that was not heard',
    caughtBy: 'liveness/lost-notification',
    store: (backend) =>
      altered(backend, (session) => {
        const queued = new Set<string>()
        return {
          async acquire(request) {
            const answer = await session.acquire(request)
            if (answer === 'queued') queued.add(request.id)
            return answer
          },
          renew: (claims) =>
            restated(session, claims, (standing, id) => {
              return queued.has(id) && typeof standing === 'object' && 'tokens' in standing ? standing.proof : standing
            }),
        }
      }),
  },
  {
    defect: 'leaves a waiter that has been cancelled in the queue',
    caughtBy: 'request/aborted-while-waiting',
    store: (backend) =>
      altered(backend, (session) => ({
        async remove(claim) {
          const standing = (await session.renew([claim])).get(claim.id)
          const waits = typeof standing === 'object' && !('tokens' in standing)
          return waits ? true : session.remove(claim)
        },
      })),
  },
  {
    defect: 'grants a shared lock as if it were exclusive',
    seenIn: 'Symfony Lock on stores without shared locks',
    caughtBy: 'request/if-available-shared',
    store: (backend) =>
      altered(backend, (session) => ({
        acquire: (request) =>
          session.acquire({ ...request, mode: request.mode === 'shared' ? 'exclusive' : request.mode }),
      })),
  },
  {
    defect: 'counts the holders of a semaphore and not their weight',
    caughtBy: 'exclusion/permits',
    store: (backend) =>
      altered(backend, (session) => ({
        acquire: (request) => session.acquire(request.mode === 'permit' ? { ...request, weight: 1 } : request),
      })),
  },
  {
    defect: 'takes the limit of a semaphore from each caller',
    seenIn: 'madelson/DistributedLock leaves it undefined',
    caughtBy: 'kind/limit',
    store(backend) {
      const boundless = 2_147_483_647
      return altered(backend, (session) => ({
        async acquire(request) {
          if (request.mode !== 'permit') return session.acquire(request)
          const held = (await session.query(request.names[0])).reduce((sum, { weight = 0 }) => sum + weight, 0)
          if (held + (request.weight ?? 1) <= (request.permits ?? 1))
            return session.acquire({ ...request, permits: boundless })
          if (request.wait) throw new LockError('UNAVAILABLE', 'no permit is free')
          return null
        },
      }))
    },
  },
  {
    defect: 'lets calls overtake each other that it says it keeps in order',
    caughtBy: 'query/own-calls',
    adapter: (backend) =>
      altered(backend, (session) => ({
        async acquire(request) {
          await new Promise((resolve) => setTimeout(resolve, 20))
          return session.acquire(request)
        },
      })),
  },
]
