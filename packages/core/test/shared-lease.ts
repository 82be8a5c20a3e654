import type { Backend, Clock, Random, Session } from '@locks/core/backend'

const longestDelay = 100

/**
 * A backend as a store with one lease a session and with independent calls makes it: calls and answers take their time
 * and overtake each other, and an entry lives as long as its session, whether anybody knows of it or not.
 */
export function sharedLease(backend: Backend, clock: Clock, random: Random): Backend {
  const travel = () => new Promise<void>((resolve) => clock.after(1 + longestDelay * random.unit(), resolve))
  const slowly = async <T>(call: () => Promise<T>): Promise<T> => {
    await travel()
    try {
      return await call()
    } finally {
      await travel()
    }
  }
  return {
    ...backend,
    async open(options) {
      const session = await backend.open(options)
      const lease = new KeptLease(session, clock)
      return {
        ttl: session.ttl,
        ordered: false,
        leases: 'session',
        ended: session.ended,
        acquire: (request) =>
          slowly(() => {
            const answer = session.acquire(request)
            lease.keep()
            return answer
          }),
        renew: (claims) => slowly(() => session.renew(claims)),
        remove: (claim) => slowly(() => session.remove(claim)),
        own: () => slowly(() => session.own()),
        query: (name) => slowly(() => session.query(name)),
        close: () => {
          lease.end()
          return session.close()
        },
      }
    },
  }
}

/** Keeps all entries of a session alive while it has any, until the client lets go of it. */
class KeptLease {
  readonly #session: Session
  readonly #clock: Clock
  #keeping = false
  #ended = false

  constructor(session: Session, clock: Clock) {
    this.#session = session
    this.#clock = clock
    void session.ended.then(() => this.end())
  }

  keep(): void {
    if (this.#keeping || this.#ended) return
    this.#keeping = true
    void this.#renew()
  }

  end(): void {
    this.#ended = true
  }

  async #renew(): Promise<void> {
    const claims = await this.#session.own().catch(() => undefined)
    if (claims) this.#session.renew(claims).catch(() => {})
    // Unknown is not none.
    if (this.#ended || claims?.length === 0) this.#keeping = false
    else this.#clock.after(this.#session.ttl / 4, () => void this.#renew())
  }
}
