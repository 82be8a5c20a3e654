import type { Backend, Grant, Proof, Session, SessionEvents, SessionOptions } from '@locks/core/backend'
import { memoryHarness, type Harness } from '@locks/core/conformance'

type Wrap = (backend: Backend) => Backend

/** A backend that is broken in one way, and the case that finds it out. */
export interface Piece {
  /** What it does wrong. */
  readonly defect: string
  /** Where it was found in the wild. */
  readonly seenIn?: string
  readonly caughtBy: string
  /** What the store does wrong: on its side of the line that a case may cut. */
  readonly store?: Wrap
  /** What the adapter does wrong: on its client's side of that line. */
  readonly adapter?: Wrap
}

export function museumHarness({ defect, store, adapter = (backend) => backend }: Piece): Harness {
  const harness = memoryHarness(defect, store)
  return {
    ...harness,
    open: async () => adapter(await harness.open()),
    async openWired() {
      const { backend, wire } = await harness.openWired()
      return { backend: adapter(backend), wire }
    },
  }
}

/** A backend whose sessions do something in another way than the healthy one's, or hear something else. */
export function altered(
  backend: Backend,
  alter: (session: Session, options: SessionOptions) => Partial<Session>,
  hears: (options: SessionOptions) => Partial<SessionEvents> = () => ({}),
): Backend {
  return {
    ...backend,
    async open(options) {
      const { granted, lost } = hears(options)
      const events: SessionEvents = {
        granted: granted ?? ((grant) => options.events.granted(grant)),
        lost: lost ?? ((id, how) => options.events.lost(id, how)),
      }
      const session = await backend.open({ ...options, events })
      return { ...plain(session), ...alter(session, options) }
    },
  }
}

/** The session as an object whose parts can be replaced. */
function plain(session: Session): Session {
  return {
    ttl: session.ttl,
    ordered: session.ordered,
    leases: session.leases,
    ended: session.ended,
    acquire: (request) => session.acquire(request),
    renew: (claims) => session.renew(claims),
    remove: (claim) => session.remove(claim),
    own: () => session.own(),
    query: (name) => session.query(name),
    ...(session.watch && {
      watch: (name: string, changed: () => void) => session.watch?.(name, changed) ?? Promise.resolve(() => {}),
    }),
    ...(session.raise && {
      raise: (name: string, token: bigint) => session.raise?.(name, token) ?? Promise.resolve(),
    }),
    close: () => session.close(),
  }
}

/** An answer or event with another proof, if it has one. */
export function reproved<T>(answer: T, proof: (proof: Proof) => Proof): T {
  if (typeof answer !== 'object' || answer === null) return answer
  if ('proof' in answer) return { ...answer, proof: proof(answer.proof as Proof) }
  return 'sent' in answer ? ({ ...answer, ...proof(answer as unknown as Proof) } as T) : answer
}

/** Changes every standing that a renewal found. */
export async function restated(
  session: Session,
  claims: Parameters<Session['renew']>[0],
  change: (standing: Standing, id: string) => Standing | Promise<Standing>,
): Promise<ReadonlyMap<string, Standing>> {
  const standings = new Map<string, Standing>()
  for (const [id, standing] of await session.renew(claims)) standings.set(id, await change(standing, id))
  return standings
}

/**
 * A backend that goes on confirming the grant that a claim once had, where `insists` says so of what the store answers
 * now.
 */
export function insistent(
  backend: Backend,
  insists: (standing: Standing, id: string, session: Session) => boolean | Promise<boolean>,
  hears: (options: SessionOptions) => Partial<SessionEvents> = () => ({}),
): Backend {
  const grants = new Map<string, Grant>()
  const noted = <T>(answer: T): T => {
    if (typeof answer === 'object' && answer !== null && 'tokens' in answer) {
      const grant = answer as unknown as Grant
      if (!grants.has(grant.id)) grants.set(grant.id, grant)
    }
    return answer
  }
  return altered(
    backend,
    (session, { clock }) => ({
      acquire: async (request) => noted(await session.acquire(request)),
      renew: (claims) =>
        restated(session, claims, async (standing, id) => {
          const grant = grants.get(id)
          if (!grant || !(await insists(standing, id, session))) return noted(standing)
          return { ...grant, proof: { sent: clock.now(), ttl: session.ttl } }
        }),
    }),
    (options) => ({ granted: (grant) => options.events.granted(noted(grant)), ...hears(options) }),
  )
}

export type Standing = Awaited<ReturnType<Session['renew']>> extends ReadonlyMap<string, infer T> ? T : never
