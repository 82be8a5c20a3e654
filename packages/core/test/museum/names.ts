import { decodeName, encodeName, type Backend, type Claim, type Session } from '@locks/core/backend'
import { altered, type Piece } from './boundary.ts'

/** A store that knows names under other ones. */
function renamed(backend: Backend, rename: (name: string) => string): Backend {
  const other = <T extends Claim>(claim: T): T => ({ ...claim, names: claim.names.map(rename) })
  return altered(backend, (session) => ({
    acquire: (request) => session.acquire(other(request)),
    renew: (claims) => session.renew(claims.map(other)),
    remove: (claim) => session.remove(other(claim)),
    query: (name) => session.query(name === undefined ? undefined : rename(name)),
  }))
}

export const names: readonly Piece[] = [
  {
    defect: 'knows no capital letters',
    caughtBy: 'names/apart',
    store: (backend) => renamed(backend, (name) => name.toLowerCase()),
  },
  {
    defect: 'keeps the first 100 characters of a name',
    caughtBy: 'names/apart',
    store: (backend) => renamed(backend, (name) => name.slice(0, 100)),
  },
  {
    defect: 'sends names as UTF-8, where lone surrogates become U+FFFD',
    caughtBy: 'names/apart',
    store: (backend) => renamed(backend, (name) => encodeName(decodeName(name).toWellFormed())),
  },
  {
    defect: 'takes names for the same that look the same',
    caughtBy: 'names/apart',
    store: (backend) => renamed(backend, (name) => encodeName(decodeName(name).normalize('NFC'))),
  },
  {
    defect: 'finds names by their beginning, so that "foo" waits for "foo/bar"',
    caughtBy: 'names/apart',
    store: (backend) =>
      altered(backend, (session) => ({
        async acquire(request) {
          const taken = (await session.query()).some(
            ({ name }) => name !== request.names[0] && name.startsWith(request.names[0]!),
          )
          return taken && !request.wait ? null : session.acquire(request)
        },
      })),
  },
  {
    defect: 'puts namespace and name together with a slash and takes them apart at the first one',
    caughtBy: 'names/namespaces',
    store: (backend) => ({
      ...backend,
      open: (options) => {
        const [space = '', ...path] = decodeName(options.namespace).split('/')
        const inner = renamed(backend, (name) => encodeName([...path, decodeName(name)].join('/')))
        return inner.open({ ...options, namespace: encodeName(space) })
      },
    }),
  },
  {
    defect: 'lists the locks of other namespaces',
    caughtBy: 'query/namespace',
    store(backend) {
      const sessions = new Map<string, Session>()
      return altered(backend, (session, { namespace }) => {
        sessions.set(namespace, session)
        return {
          async query(name) {
            const all = await Promise.all([...sessions.values()].map((each) => each.query(name).catch(() => [])))
            return all.flat()
          },
        }
      })
    },
  },
  {
    defect: 'lists the locks of its own client only',
    seenIn: 'navigator.locks in Node.js, which knows of one thread',
    caughtBy: 'query/one-name',
    store: (backend) =>
      altered(backend, (session, { clientId }) => ({
        query: async (name) => (await session.query(name)).filter((each) => each.clientId === clientId),
      })),
  },
  {
    defect: 'has one clientId for all clients',
    caughtBy: 'query/client-id',
    store: (backend) =>
      altered(backend, (session) => ({
        query: async (name) => (await session.query(name)).map((each) => ({ ...each, clientId: 'client' })),
      })),
  },
]
