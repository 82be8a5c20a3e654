import type { Claim, Entry, Grant, Instant, Loss, Request, SessionEvents } from '@locks/core/backend'
import { elapsed, LockError } from '@locks/core/backend'
import { MemoryStore, type Claimed, type Owner } from '../../src/memory/store.ts'
import type { Machine } from './machine.ts'

/** A moment on the store's clock, with the one that the client's clock showed when it sent what the store got then. */
export interface Stamped extends Instant {
  readonly stamp: Instant
}

export interface Opening {
  readonly clientId: string
  readonly label: string
  readonly ttl: number
  readonly leases: 'entry' | 'session'
  readonly events: SessionEvents
}

/** What the store has done, for whoever keeps the books. */
export interface Books {
  applied(clientId: string, verb: 'acquire' | 'remove', claim: Claim): void
  refused(clientId: string, names: readonly string[]): void
}

/** The store and its truth: who holds what, by the store's own clock. Its tokens outlive everything. */
export class Server {
  readonly machine: Machine
  readonly books: Books
  readonly queues = new MemoryStore()
  readonly sessions = new Set<ServerSession>()
  /** Grants that the store has taken back before their time, by force or by a declared fault: since when, true time. */
  readonly forfeited = new Map<bigint, number>()

  constructor(machine: Machine, books: Books) {
    this.machine = machine
    this.books = books
  }

  open(opening: Opening): ServerSession {
    const session = new ServerSession(this, opening)
    this.sessions.add(session)
    return session
  }

  *claims(): Generator<Claimed> {
    for (const { owner } of this.sessions) yield* owner.claims.values()
  }

  /** Everything that is granted and has not expired, by its tokens. */
  grants(): Map<bigint, Claimed> {
    const found = new Map<bigint, Claimed>()
    for (const claimed of this.claims()) {
      if (!claimed.expired) for (const token of claimed.tokens ?? []) found.set(token, claimed)
    }
    return found
  }

  /** What has not expired, holders and waiters. */
  get live(): Claimed[] {
    return [...this.claims()].filter(({ expired }) => !expired)
  }

  /** Ends all sessions of a client, as an operator may. */
  expel(clientId: string): void {
    for (const session of [...this.sessions].filter(({ owner }) => owner.clientId === clientId)) {
      this.forfeit(session.owner.claims.values())
      session.end()
    }
  }

  /** Takes a name from all who hold it, as a server does that forgets, or an operator. */
  evict(name: string): void {
    const holders = [...this.claims()].filter(({ tokens, request }) => tokens && request.names.includes(name))
    this.forfeit(holders)
    this.queues.remove(holders)
  }

  /** Nothing that is granted now is certain any more. */
  forfeit(claims: Iterable<Claimed>): void {
    for (const { tokens } of claims) {
      for (const token of tokens ?? []) {
        if (!this.forfeited.has(token)) this.forfeited.set(token, this.machine.trueTime)
      }
    }
  }
}

/** One client's standing, at the store. */
export class ServerSession {
  readonly owner: Owner
  readonly leases: 'entry' | 'session'
  readonly #server: Server
  /** When the client has last shown that it lives. */
  #beat: Stamped
  #stamp: Instant = { mono: 0, wall: 0 }

  constructor(server: Server, { clientId, label, ttl, leases, events }: Opening) {
    const { machine } = server
    const clock = {
      now: (): Stamped => ({ ...machine.now(), stamp: this.#stamp }),
      after: machine.after.bind(machine),
    }
    this.#server = server
    this.leases = leases
    this.owner = { clientId, label, ttl, clock, events, claims: new Map(), robbed: new Map() }
    this.#beat = clock.now()
    if (leases === 'session') this.#watch()
  }

  get #over(): boolean {
    return !this.#server.sessions.has(this)
  }

  get #left(): number {
    return this.owner.ttl - elapsed(this.#beat, this.owner.clock.now())
  }

  acquire(request: Request, stamp: Instant): Grant | 'queued' | null {
    return this.#do(stamp, () => {
      const { books, queues, sessions } = this.#server
      if (request.steal && !this.owner.claims.has(request.id)) {
        const held = [...sessions].flatMap(({ owner }) => [...owner.claims.values()])
        const touched = ({ tokens, request: { names } }: Claimed) =>
          tokens !== undefined && names.some((name) => request.names.includes(name))
        this.#server.forfeit(held.filter(touched))
      }
      books.applied(this.owner.clientId, 'acquire', request)
      const answer = queues.acquire(request, this.owner)
      if (answer === null) books.refused(this.owner.clientId, request.names)
      return answer
    })
  }

  renew(claims: readonly Claim[], stamp: Instant): Map<string, Grant | 'waits' | Loss> {
    return this.#do(stamp, () => {
      const { claims: own } = this.owner
      const standings = new Map(claims.map(({ id }) => [id, this.#renew(id)]))
      this.#server.queues.review(claims.flatMap(({ id }) => own.get(id) ?? []))
      return standings
    })
  }

  /** Keeps the session alive, where that is what keeps its entries. */
  keep(stamp: Instant): void {
    this.#do(stamp, () => {
      this.#beat = this.owner.clock.now() as Stamped
    })
  }

  remove(claim: Claim, stamp: Instant): boolean {
    return this.#do(stamp, () => {
      this.#server.books.applied(this.owner.clientId, 'remove', claim)
      const claimed = this.owner.claims.get(claim.id)
      if (claimed) this.#server.queues.remove([claimed])
      return claimed !== undefined
    })
  }

  own(stamp: Instant): Claim[] {
    return this.#do(stamp, () => [...this.owner.claims.values()].map(({ request }) => request))
  }

  query(name: string | undefined, stamp: Instant): Entry[] {
    const { queues } = this.#server
    return this.#do(stamp, () => (name === undefined ? queues.names() : [name]).flatMap((each) => queues.entries(each)))
  }

  /** Ends it with all that it has. */
  end(): void {
    const claims = [...this.owner.claims.values()]
    this.#server.sessions.delete(this)
    this.#server.queues.remove(claims)
  }

  #renew(id: string): Grant | 'waits' | Loss {
    const { claims, robbed } = this.owner
    const claimed = claims.get(id)
    if (claimed?.expired) this.#server.queues.remove([claimed])
    if (!claimed || claimed.expired) return robbed.delete(id) ? 'stolen' : 'gone'
    if (this.leases === 'entry') claimed.sent = this.owner.clock.now()
    return claimed.grant ?? 'waits'
  }

  #do<T>(stamp: Instant, verb: () => T): T {
    if (this.leases === 'session' && this.#left <= 0) this.end()
    if (this.#over) throw new SessionOver()
    this.#stamp = stamp
    const answer = verb()
    // An entry under a lease that is old lives no longer than the lease.
    if (this.leases === 'session') for (const claimed of this.owner.claims.values()) claimed.sent = this.#beat
    return answer
  }

  #watch(): void {
    this.owner.clock.after(this.#left, () => {
      if (this.#over) return
      if (this.#left <= 0) this.end()
      else this.#watch()
    })
  }
}

/** The store knows no such session any more. */
export class SessionOver extends LockError {
  constructor() {
    super('UNAVAILABLE', 'the store knows no such session')
  }
}
