import { LockError, type Clock, type Instant, type Random, type Timer } from '@locks/core/backend'
import { Connection, type Credentials, type Identity, type Server } from './connection.ts'
import { failureOf, isRefusal, code, unavailable } from './failures.ts'
import { closeSession, type Operation } from './operations.ts'
import { Touches } from './touches.ts'

/** `urgent`: ahead of what has not left yet. */
export type Call = <T>(operation: Operation<T>, urgent?: boolean) => Promise<T>

export interface ClientOptions {
  /** In the order in which they are tried. */
  readonly servers: readonly Server[]
  readonly credentials?: Credentials | undefined
  /** As asked for. */
  readonly ttl: number
  readonly clock: Clock
  readonly random: Random
  /** The first write on every connection; `id` is the session's. */
  readonly announce: (call: Call, id: string) => Promise<void>
  readonly changed: (path: string, event: number) => void
  /** There is a connection again; what was watched is not any more. */
  readonly restored: () => void
  /** The session is over, or no server takes this client. Told once, and not of a client's own end. */
  readonly ended: (why: LockError) => void
}

const nobody: Omit<Identity, 'ttl'> = { id: Buffer.alloc(8), password: Buffer.alloc(16), zxid: 0n }

/**
 * One session, over as many connections as it takes, one at a time. Calls are made on the connection that is there or
 * fail: nothing is kept to be sent later. A connection is there when a first write on it has been carried out: what is
 * read on it from then on includes everything that was done on the connections before it, also what no answer told of.
 */
export class Client {
  readonly #options: ClientOptions
  readonly #patience: number
  #identity: Identity
  #opening: Connection | undefined
  #ready: { readonly connection: Connection; readonly touches: Touches } | undefined
  #next = 0
  #over = false
  #pause: Timer | undefined

  constructor(options: ClientOptions) {
    this.#options = options
    this.#identity = { ...nobody, ttl: options.ttl }
    // Long enough for a server that is busy, and short enough that there is time left for another one.
    this.#patience = Math.min(Math.max(options.ttl / 4, 250), 2_500)
  }

  /** Milliseconds, as granted once it is open. */
  get ttl(): number {
    return this.#identity.ttl
  }

  /** Tries each server once. Answers since when the session surely lives. */
  async open(): Promise<Instant> {
    for (let left = this.#options.servers.length; ; left--) {
      try {
        return await this.#connect()
      } catch (error) {
        const why = failureOf(error)
        if (left > 1 && why.temporary && !this.#over) continue
        this.end()
        throw why
      }
    }
  }

  readonly call: Call = (operation, urgent) => {
    const connection = this.#ready?.connection
    return connection
      ? connection.call(operation, urgent)
      : Promise.reject(unavailable('no ZooKeeper server is connected'))
  }

  /** Writes what is nothing but a sign of life, and answers since when the session surely lives. */
  async beat(sent: Instant, sign: () => Promise<unknown>): Promise<Instant> {
    const touches = this.#ready?.touches
    await sign()
    // The answer came on the connection that is counted.
    if (!touches || touches !== this.#ready?.touches)
      throw unavailable('the connection to the ZooKeeper server was lost')
    return touches.written(sent)
  }

  /** Ends the session at the servers, and everything that lives as long as it does. */
  async close(): Promise<void> {
    try {
      await this.call(closeSession, true)
    } finally {
      this.end()
    }
  }

  /** Lets go of the connection. */
  end(): void {
    this.#over = true
    this.#pause?.cancel()
    for (const connection of [this.#opening, this.#ready?.connection])
      connection?.end(unavailable('the session is over'))
    this.#opening = this.#ready = undefined
  }

  async #connect(again = false): Promise<Instant> {
    const { servers, clock, credentials, changed, announce } = this.#options
    const server = servers[this.#next++ % servers.length] as Server
    const handshake = clock.now()
    const connection = new Connection(
      {
        server,
        clock,
        patience: this.#patience,
        // A server that is choosing a leader takes connections that it will not answer.
        greetWithin: Math.max(250, this.#patience / servers.length),
        changed,
        ended: () => this.#lost(connection),
      },
      this.#identity,
      credentials,
    )
    this.#opening = connection
    try {
      const granted = await connection.opened()
      if (!granted) throw expired()
      this.#identity = granted
      // Half a tick, as long as no session may be shorter than two: the servers' own rule.
      const touches = new Touches(granted.ttl / 4, handshake)
      const sent = clock.now()
      await announce((operation) => connection.call(operation), granted.id.toString('hex'))
      if (this.#over) throw unavailable('the session is over')
      this.#ready = { connection, touches }
      // In the same breath: what is watched on the new connection must not be taken for what was on the old one.
      if (again) this.#options.restored()
      return touches.written(sent)
    } catch (error) {
      connection.end(unavailable('the connection was given up'))
      throw isRefusal(error, code.sessionExpired) ? expired() : error
    } finally {
      this.#opening = undefined
    }
  }

  #lost(connection: Connection): void {
    this.#identity = { ...this.#identity, zxid: connection.zxid }
    if (connection !== this.#ready?.connection) return
    this.#ready = undefined
    if (!this.#over) void this.#reconnect()
  }

  async #reconnect(): Promise<void> {
    const { servers, clock, random, ended } = this.#options
    for (let attempt = 1; !this.#over; attempt++) {
      try {
        await this.#connect(true)
        return
      } catch (error) {
        const why = failureOf(error)
        if (this.#over) return
        if (!why.temporary || why instanceof Expired) {
          this.end()
          return ended(why)
        }
      }
      // A round without success: they may all be choosing a leader.
      if (attempt % servers.length > 0) continue
      const ms = (this.ttl / 24) * (0.5 + random.unit() / 2)
      await new Promise<void>((resolve) => (this.#pause = clock.after(ms, resolve)))
    }
  }
}

class Expired extends LockError {}

const expired = (): Expired => new Expired('UNAVAILABLE', 'the session at ZooKeeper has expired')
