import type { Backend, Grant, Session, SessionOptions } from '@locks/core/backend'
import { memoryHarness, type Harness } from '@locks/core/conformance'
import { setImmediate, setTimeout } from 'node:timers/promises'

/**
 * A backend with nothing but what every backend has: exclusive locks and waiting for them. Calls take their time and
 * overtake each other, and a connection that fails takes the session with it.
 */
export function bareHarness(): Harness {
  const harness = memoryHarness('bare', bare)
  return {
    ...harness,
    async openWired() {
      const { backend, wire } = await harness.openWired()
      const cut = wire.cut.bind(wire)
      wire.cut = async () => {
        await cut()
        await wire.end()
      }
      return { backend, wire }
    },
  }
}

function bare(backend: Backend): Backend {
  return {
    name: 'bare',
    capabilities: {
      ...backend.capabilities,
      fencing: 'none',
      order: 'none',
      shared: false,
      semaphore: false,
      steal: false,
      sets: 'ordered',
      elections: false,
      listing: 'none',
      reconnects: false,
    },
    open: async (options) => bareSession(await backend.open(tokenless(options)), options),
  }
}

function tokenless(options: SessionOptions): SessionOptions {
  const { events } = options
  return {
    ...options,
    events: { granted: (grant) => events.granted(withoutTokens(grant)), lost: (id, how) => events.lost(id, how) },
  }
}

function bareSession(session: Session, { random }: SessionOptions): Session {
  const travel = () => (random.unit() < 0.5 ? setImmediate() : setTimeout(3 * random.unit()))
  return {
    ttl: session.ttl,
    ordered: false,
    leases: 'session',
    ended: session.ended,
    async acquire(request) {
      await travel()
      const { mode, names, steal } = request
      if (mode !== 'exclusive' || names.length > 1 || steal) throw new Error('core asked for what is declared absent')
      const answer = await session.acquire(request)
      return answer === null || answer === 'queued' ? answer : withoutTokens(answer)
    },
    async renew(claims) {
      await travel()
      const standings = [...(await session.renew(claims))]
      return new Map(
        standings.map(([id, standing]) => {
          const grant = typeof standing === 'object' && 'tokens' in standing
          return [id, grant ? withoutTokens(standing) : standing]
        }),
      )
    },
    async remove(claim) {
      await travel()
      return session.remove(claim)
    },
    async own() {
      await travel()
      return session.own()
    },
    async query(name) {
      await travel()
      if (name === undefined) throw new Error('core asked for what is declared absent')
      return (await session.query(name)).map((entry) => ({ ...entry, token: undefined }))
    },
    close: () => session.close(),
  }
}

function withoutTokens(grant: Grant): Grant {
  return { ...grant, tokens: [] }
}
