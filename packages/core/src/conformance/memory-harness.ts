import type { Backend, Session } from '../contract.ts'
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
    ttl: 1_000,
    open: () => backend,
    openWired: () => wired(backend),
    async evict(namespace, lock) {
      for (const [session, at] of sessions) if (at === namespace) await evictFrom(session, lock)
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

async function evictFrom(session: Session, lock: string): Promise<void> {
  const claims = (await session.own()).filter(({ names }) => names.includes(lock))
  const standings = await session.renew(claims)
  for (const claim of claims) {
    const standing = standings.get(claim.id)
    if (typeof standing === 'object' && 'tokens' in standing) await session.remove(claim)
  }
}
