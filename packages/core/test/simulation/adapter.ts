import {
  elapsed,
  Heartbeat,
  LockError,
  type Backend,
  type Capabilities,
  type Claim,
  type Entry,
  type Grant,
  type Instant,
  type Loss,
  type Proof,
  type Request,
  type Session,
  type SessionOptions,
} from '@locks/core/backend'
import type { Line } from './line.ts'
import { SessionOver, type Server, type ServerSession, type Stamped } from './server.ts'

export interface Kind {
  readonly leases: 'entry' | 'session'
  readonly ordered: boolean
  readonly sets: Capabilities['sets']
}

const capabilities: Capabilities = {
  scope: 'network',
  fencing: 'durable',
  order: 'fifo',
  shared: true,
  semaphore: true,
  steal: true,
  sets: 'atomic',
  elections: false,
  listing: 'complete',
  reconnects: true,
  ttl: { min: 1_000, max: 86_400_000 },
  takeover: 500,
}

/** Hears of every removal that core asks for, its answer, and whether the session is over. */
export type Removing = (id: string, ttl: number, answer: Promise<boolean>, over: () => boolean) => void

/** The simulated store as one of its clients reaches it. */
export function simulated(server: Server, line: Line, kind: Kind, removing: Removing): Backend {
  return {
    name: 'simulated',
    capabilities: { ...capabilities, sets: kind.sets },
    async open(options) {
      const { clientId, owner: label, clock, ttl: asked } = options
      // Whole seconds, as some stores have it.
      const ttl = kind.leases === 'session' ? Math.ceil(asked / 1_000) * 1_000 : asked
      const sent = clock.now()
      let session: SimulatedSession | undefined
      const events = {
        granted: (grant: Grant) => line.tell(`granted ${grant.id}`, () => session?.hearGranted(grant)),
        lost: (id: string, how: Loss) => line.tell(`lost ${id}`, () => session?.hearLost(id, how)),
      }
      const remote = await line.call('open', () => server.open({ clientId, label, ttl, leases: kind.leases, events }))
      session = new SimulatedSession({ line, kind, remote, removing, options, ttl, opened: { sent, ttl } })
      return session
    },
  }
}

interface Parts {
  readonly line: Line
  readonly kind: Kind
  readonly remote: ServerSession
  readonly removing: Removing
  readonly options: SessionOptions
  readonly ttl: number
  readonly opened: Proof
}

/** An adapter in the form that its store wants: expiry an entry, or one lease that a heartbeat keeps. */
class SimulatedSession implements Session {
  readonly ttl: number
  readonly ordered: boolean
  readonly leases: 'entry' | 'session'
  readonly ended: Promise<LockError>
  readonly #line: Line
  readonly #remote: ServerSession
  readonly #removing: Removing
  readonly #options: SessionOptions
  readonly #heartbeat: Heartbeat | undefined
  #end!: (why: LockError) => void
  #over: LockError | undefined
  /** When the first call left that has had no answer, nor any after it. */
  #silentSince: Instant | undefined

  constructor({ line, kind, remote, removing, options, ttl, opened }: Parts) {
    this.ttl = ttl
    this.ordered = kind.ordered
    this.leases = kind.leases
    this.ended = new Promise((resolve) => (this.#end = resolve))
    this.#line = line
    this.#remote = remote
    this.#removing = removing
    this.#options = options
    if (kind.leases === 'session') this.#heartbeat = this.#beating(opened)
  }

  acquire(request: Request): Promise<Grant | 'queued' | null> {
    const what = `acquire ${request.id}${request.wait ? '' : ' or not'}${request.steal ? ' by force' : ''}`
    return this.#call(
      what,
      (sent) => this.#remote.acquire(request, sent),
      (answer) => {
        return answer === null || answer === 'queued' ? answer : this.#grant(answer)
      },
    )
  }

  async renew(claims: readonly Claim[]): Promise<ReadonlyMap<string, Grant | Proof | Loss>> {
    const sent = this.#options.clock.now()
    // A proof of the session first: what it has then, it keeps as long as itself.
    const proof = (await this.#heartbeat?.renewed()) ?? { sent, ttl: this.ttl }
    return this.#call(
      `renew ${claims.length}`,
      () => this.#remote.renew(claims, sent),
      (found) => {
        const standings = [...found].map(([id, each]) => {
          const grant = (granted: Grant) => this.#grant(granted, this.#heartbeat && proof)
          const standing = typeof each === 'object' ? grant(each) : each === 'waits' ? proof : each
          return [id, standing] as const
        })
        return new Map(standings.filter(() => this.#line.says()))
      },
    )
  }

  remove(claim: Claim): Promise<boolean> {
    const answer = this.#call(`remove ${claim.id}`, (sent) => this.#remote.remove(claim, sent))
    this.#removing(claim.id, this.ttl, answer, () => this.#over !== undefined)
    return answer
  }

  own(): Promise<readonly Claim[]> {
    return this.leases === 'entry' ? Promise.resolve([]) : this.#call('own', (sent) => this.#remote.own(sent))
  }

  query(name?: string): Promise<readonly Entry[]> {
    return this.#call('query', (sent) => this.#remote.query(name, sent))
  }

  close(): Promise<void> {
    this.#finish(new LockError('UNAVAILABLE', 'the session was closed'))
    return this.#line.call('close', () => this.#remote.end())
  }

  hearGranted(grant: Grant): void {
    if (!this.#over) this.#options.events.granted(this.#grant(grant))
  }

  hearLost(id: string, how: Loss): void {
    if (!this.#over) this.#options.events.lost(id, how)
  }

  /** What the store says, as a proof by the client's clock. */
  #grant(grant: Grant, ofSession = this.#heartbeat?.proof): Grant {
    const own = { sent: (grant.proof.sent as Stamped).stamp, ttl: this.ttl }
    return { ...grant, proof: ofSession ?? own }
  }

  #call<T>(what: string, execute: (sent: Instant) => T): Promise<T>
  #call<T, U>(what: string, execute: (sent: Instant) => T, read: (answer: T) => U): Promise<U>
  async #call(what: string, execute: (sent: Instant) => unknown, read = (answer: unknown) => answer): Promise<unknown> {
    const sent = this.#options.clock.now()
    this.#silentSince ??= sent
    // By then nothing is proved any more. (A heartbeat knows this by itself.)
    if (elapsed(this.#silentSince, sent) > this.ttl) this.#finish(new LockError('UNAVAILABLE', 'no answer for a ttl'))
    if (this.#over) throw this.#over
    try {
      const answer = await this.#line.call(what, () => execute(sent))
      this.#silentSince = undefined
      return read(answer)
    } catch (error) {
      if (error instanceof SessionOver) this.#finish(error)
      throw error
    }
  }

  #finish(why: LockError): void {
    this.#over ??= why
    this.#heartbeat?.end()
    this.#end(why)
  }

  #beating(opened: Proof): Heartbeat {
    const { ttl } = this
    return new Heartbeat(
      {
        clock: this.#options.clock,
        ttl,
        period: ttl / 3,
        beat: (sent) =>
          this.#call(
            'beat',
            () => this.#remote.keep(sent),
            () => ({ sent, ttl }),
          ),
        died: () => this.#finish(new LockError('UNAVAILABLE', 'no proof for a ttl')),
      },
      opened,
    )
  }
}
