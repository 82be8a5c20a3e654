import type { Backend, Claim, Session } from '../contract.ts'
import { memory } from '../memory/index.ts'
import type { Harness } from './harness.ts'
import { wired } from './wire.ts'

/** The harness for backends in this process: `memory()`, or something that wraps it. */
export function memoryHarness(name = 'memory', wrap: (backend: Backend) => Backend = (backend) => backend): Harness {
  const sessions = new Map<Session, string>()
  const backend = wrap(noting(memory(), sessions))
  return {
    backend: name,
    capabilities: backend.capabilities,
    ttl: 1_500,
    open: () => backend,
    openWired: () => wired(backend),
    async evict(namespace, lock) {
      const there = [...sessions].filter(([, at]) => at === namespace).map(([session]) => session)
      const found = await Promise.all(there.map((session) => holdings(session, lock)))
      // All are found first: whoever is granted what a holder leaves is not meant.
      await Promise.all(found.flat().map(({ session, claim }) => session.remove(claim)))
    },
  }
}

/** Keeps the sessions at hand, for there is no other way into this store. */
function noting(backend: Backend, sessions: Map<Session, string>): Backend {
  return {
    ...backend,
    async open(options) {
      const session = await backend.open(options)
      sessions.set(session, options.namespace)
      void session.ended.then(() => sessions.delete(session))
      return session
    },
  }
}

/** What a session holds of a name. */
async function holdings(session: Session, lock: string): Promise<{ session: Session; claim: Claim }[]> {
  const claims = (await session.own()).filter(({ names }) => names.includes(lock))
  const standings = await session.renew(claims)
  return claims.flatMap((claim) => {
    const standing = standings.get(claim.id)
    return typeof standing === 'object' && 'tokens' in standing ? [{ session, claim }] : []
  })
}
