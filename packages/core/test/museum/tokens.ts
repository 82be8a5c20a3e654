import type { Backend, Grant, Session, SessionOptions } from '@locks/core/backend'
import { altered, restated, type Piece } from './boundary.ts'

type Number = (grant: Grant, name: string) => bigint

/** The healthy store with tokens of another making. */
function numbered(
  backend: Backend,
  number: (options: SessionOptions) => Number,
  also: (session: Session, options: SessionOptions) => Partial<Session> = () => ({}),
): Backend {
  const names = new Map<string, string>()
  const other = (grant: Grant, options: SessionOptions): Grant => {
    const name = names.get(grant.id) ?? ''
    return { ...grant, tokens: grant.tokens.map(() => number(options)(grant, `${options.namespace} ${name}`)) }
  }
  return altered(
    backend,
    (session, options) => ({
      async acquire(request) {
        names.set(request.id, request.names[0] ?? '')
        const answer = await session.acquire(request)
        return answer === null || answer === 'queued' ? answer : other(answer, options)
      },
      renew: (claims) =>
        restated(session, claims, (standing) => {
          return typeof standing === 'object' && 'tokens' in standing ? other(standing, options) : standing
        }),
      ...also(session, options),
    }),
    (options) => ({ granted: (grant) => options.events.granted(other(grant, options)) }),
  )
}

export const tokens: readonly Piece[] = [
  {
    defect: 'counts tokens in an entry that goes away when the name is free',
    seenIn: 'madelson/DistributedLock on MongoDB',
    caughtBy: 'fencing/strictly-rising',
    store(backend) {
      const counts = new Map<string, bigint>()
      const given = new Map<string, bigint>()
      return numbered(
        backend,
        () => (grant, name) => {
          const token = given.get(grant.id) ?? (counts.get(name) ?? 0n) + 1n
          given.set(grant.id, token)
          counts.set(name, token)
          return token
        },
        (session, { namespace }) => ({
          async remove(claim) {
            const found = await session.remove(claim)
            for (const name of claim.names) {
              if ((await session.query(name)).length === 0) counts.delete(`${namespace} ${name}`)
            }
            return found
          },
        }),
      )
    },
  },
  {
    defect: 'takes the place in the queue for the token',
    seenIn: 'recipes that use the sequence or the creation revision of the queued node',
    caughtBy: 'fencing/minted-at-the-grant',
    store(backend) {
      const places = new Map<string, bigint>()
      return altered(
        numbered(
          backend,
          () =>
            ({ id }) =>
              places.get(id) ?? 0n,
        ),
        (session) => ({
          acquire(request) {
            if (!places.has(request.id)) places.set(request.id, BigInt(places.size + 1))
            return session.acquire(request)
          },
        }),
      )
    },
  },
  {
    defect: 'counts tokens in floating point beyond 2^53',
    caughtBy: 'fencing/strictly-rising',
    store: (backend) =>
      numbered(
        backend,
        () =>
          ({ tokens: [token = 0n] }) =>
            BigInt(2 ** 60 + Number(token)),
      ),
  },
  {
    defect: 'counts tokens in each client',
    caughtBy: 'fencing/over-reopening',
    store(backend) {
      const given = new Map<string, bigint>()
      const counts = new Map<string, bigint>()
      return numbered(backend, ({ clientId }) => ({ id }) => {
        const token = given.get(id) ?? (counts.get(clientId) ?? 0n) + 1n
        given.set(id, token)
        counts.set(clientId, token)
        return token
      })
    },
  },
  {
    defect: 'counts tokens by one, where a manager that hands over counts as well',
    caughtBy: 'handover/tokens',
    store(backend) {
      const given = new Map<string, bigint>()
      return numbered(backend, () => ({ id }) => {
        const token = given.get(id) ?? BigInt(given.size + 1)
        given.set(id, token)
        return token
      })
    },
  },
  {
    defect: 'gives everybody of one moment the same token, for it is a time',
    caughtBy: 'fencing/permits',
    store: (backend) => numbered(backend, () => () => BigInt(Math.floor(Date.now() / 10_000))),
  },
]
