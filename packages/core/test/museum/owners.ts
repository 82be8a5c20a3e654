import { LockError, type Claim, type Grant, type Request, type Session } from '@locks/core/backend'
import { altered, insistent, type Piece, type Standing } from './boundary.ts'

export const owners: readonly Piece[] = [
  {
    defect: 'releases a name without asking whose it is',
    caughtBy: 'release/lost-at-the-store',
    store(backend) {
      const sessions = new Set<Session>()
      return altered(backend, (session) => {
        sessions.add(session)
        return {
          async remove(claim) {
            if (await session.remove(claim)) return true
            for (const each of sessions) {
              const theirs = (await each.own().catch(() => [])).find(({ names }) => names.includes(claim.names[0]!))
              if (theirs) return each.remove(theirs)
            }
            return false
          },
        }
      })
    },
  },
  {
    defect: 'answers a repeated request as if it came from somebody else',
    seenIn: 'verrou, redis-semaphore, redlock-universal, node-redlock: one dropped reply and the client blocks itself',
    caughtBy: 'ambiguity/dropped-answer-of-an-acquire',
    store(backend) {
      // Each attempt is an owner of its own, and only the last one is remembered.
      const attempts = new Map<string, number>()
      const last = <T extends Claim>(claim: T): T => ({ ...claim, id: `${claim.id}.${attempts.get(claim.id) ?? 0}` })
      const first = (id: string) => id.slice(0, id.lastIndexOf('.'))
      return altered(
        backend,
        (session) => ({
          async acquire(request) {
            attempts.set(request.id, (attempts.get(request.id) ?? 0) + 1)
            const answer = await session.acquire(last(request))
            return answer === null || answer === 'queued' ? answer : { ...answer, id: request.id }
          },
          async renew(claims) {
            const standings = await session.renew(claims.map(last))
            return new Map([...standings].map(([id, each]) => [first(id), named(each, first(id))]))
          },
          remove: (claim) => session.remove(last(claim)),
          own: async () => [],
        }),
        ({ events }) => ({ granted: (grant) => events.granted({ ...grant, id: first(grant.id) }) }),
      )
    },
  },
  {
    defect: 'takes whoever writes the entry first for its owner for good, so that the next holder cannot release',
    seenIn: 'verrou in memory',
    caughtBy: 'succession/release',
    store(backend) {
      const firsts = new Map<string, string>()
      return altered(backend, (session, { namespace }) => ({
        acquire(request) {
          const key = `${namespace} ${request.names[0]}`
          if (!firsts.has(key)) firsts.set(key, request.id)
          return session.acquire(request)
        },
        remove(claim) {
          const key = `${namespace} ${claim.names[0]}`
          if (firsts.get(key) !== claim.id) return Promise.reject(new LockError('UNAVAILABLE', 'not the owner'))
          firsts.delete(key)
          return session.remove(claim)
        },
      }))
    },
  },
  {
    defect: 'says that a lock is there whatever became of it',
    seenIn: 'redis-semaphore, Redisson: no word of a lost lock',
    caughtBy: 'loss/evicted',
    store: (backend) => insistent(backend, (standing) => standing === 'gone'),
  },
  {
    defect: 'does not tell those whose locks are stolen',
    caughtBy: 'loss/robbed-by-another-client',
    store(backend) {
      const robbed = new Set<string>()
      return insistent(
        backend,
        (_, id) => robbed.has(id),
        () => ({ lost: (id) => void robbed.add(id) }),
      )
    },
  },
  {
    defect: 'leaves everything behind when a session is closed',
    caughtBy: 'resources/close-leaves-nothing',
    store: (backend) =>
      altered(backend, () => {
        const { promise: ended, resolve } = Promise.withResolvers<LockError>()
        return { ended, close: async () => resolve(new LockError('UNAVAILABLE', 'closed')) }
      }),
  },
  {
    defect: 'keeps the locks and the place of a client that is dead for as long as its connection seems open',
    seenIn: 'madelson/DistributedLock on Postgres, for up to a minute',
    caughtBy: 'liveness/silent-waiter',
    store: (backend) =>
      altered(backend, (session) => {
        const keepAlive = setInterval(() => {
          session
            .own()
            .then((claims) => session.renew(claims))
            .catch(() => {})
        }, 100)
        void session.ended.then(() => clearInterval(keepAlive))
        return {}
      }),
  },
  {
    defect: 'takes an error of the store for "it is held"',
    seenIn: 'verrou on SQL',
    caughtBy: 'liveness/try-in-an-outage',
    adapter: (backend) =>
      altered(backend, (session) => ({ acquire: (request) => session.acquire(request).catch(() => null) })),
  },
  {
    defect: 'never says that its session has ended',
    seenIn: 'node-zookeeper-client while it is cut off',
    caughtBy: 'ambiguity/session-ended-while-waiting',
    adapter: (backend) => altered(backend, () => ({ ended: new Promise(() => {}) })),
  },
  {
    defect: 'keeps its locks in each client by itself',
    caughtBy: 'exclusion/one-holder',
    store: (backend) => ({
      ...backend,
      open: (options) => backend.open({ ...options, namespace: `${options.namespace}.${options.clientId}` }),
    }),
  },
  {
    defect: 'takes a set name by name and keeps what it had when one is held',
    caughtBy: 'sets/all-or-nothing',
    store: (backend) =>
      altered(backend, (session) => ({
        async acquire(request) {
          if (request.names.length === 1 || request.wait) return session.acquire(request)
          const grants = []
          for (const one of apart(request)) {
            const grant = await session.acquire(one)
            if (grant === null || grant === 'queued') return null
            grants.push(grant)
          }
          return { ...grants[0]!, id: request.id, tokens: grants.flatMap(({ tokens }) => tokens) }
        },
      })),
  },
  {
    defect: 'takes the names of a set in the order in which they are given',
    seenIn: 'Curator, and wherever the caller has to sort',
    caughtBy: 'sets/crossing',
    store(backend) {
      const arrivals = new Map<string, (grant: Grant) => void>()
      return altered(
        backend,
        (session, { clock, events }) => {
          const sets = new Set<string>()
          const takeAll = async (request: Request) => {
            const grants: Grant[] = []
            for (const one of apart(request)) {
              const arrival = new Promise<Grant>((resolve) => arrivals.set(one.id, resolve))
              const answer = await session.acquire(one)
              grants.push(answer === null || answer === 'queued' ? await arrival : answer)
            }
            const tokens = grants.flatMap((each) => each.tokens)
            events.granted({ id: request.id, tokens, proof: { sent: clock.now(), ttl: session.ttl } })
          }
          return {
            async acquire(request) {
              if (request.names.length === 1) return session.acquire(request)
              if (!sets.has(request.id)) void takeAll(request)
              sets.add(request.id)
              return 'queued'
            },
            async renew(claims) {
              const standings = new Map(await session.renew(claims.flatMap(apart)))
              const proof = { sent: clock.now(), ttl: session.ttl }
              return new Map(claims.map(({ id }) => [id, sets.has(id) ? proof : (standings.get(`${id}.0`) ?? proof)]))
            },
            async remove(claim) {
              const found = await Promise.all([claim, ...apart(claim)].map((one) => session.remove(one)))
              return found.includes(true)
            },
          }
        },
        ({ events }) => ({ granted: (grant) => (arrivals.get(grant.id) ?? ((each) => events.granted(each)))(grant) }),
      )
    },
  },
]

function named(standing: Standing, id: string): Standing {
  return typeof standing === 'object' && 'tokens' in standing ? { ...standing, id } : standing
}

function apart(claim: Request): Request[]
function apart(claim: Claim): Claim[]
function apart(claim: Claim): Claim[] {
  return claim.names.map((name, at) => ({ ...claim, id: `${claim.id}.${at}`, names: [name] }))
}
