import {
  Heartbeat,
  type LockError,
  settledWithin,
  Subscriptions,
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
import type { Connection } from './connection.ts'
import { failureOf, unavailable } from './failures.ts'
import type { Form, FormParts } from './form.ts'
import type { Keys } from './keys.ts'
import { grantOf, Ledger, lineOf, type Claimed, type Line } from './ledger.ts'
import { Listener } from './listener.ts'
import { Outbox } from './outbox.ts'
import { channelPrefix } from './sql/elections.ts'
import { Waits } from './waits.ts'

export interface SessionParts {
  /** Milliseconds for which the server grants nothing yet. */
  readonly grace: number
  readonly keys: Keys
  /** The connection that is the session: what it holds is held as long as it lasts. */
  readonly lock: Connection
  /** Before the session was begun. */
  readonly sent: Instant
  /** Where it is told of what has become free. */
  readonly channel: string
  readonly connect: () => Connection
  readonly formOf: (parts: FormParts) => Form
}

/** Milliseconds for which `close` tries to end the session in good order. */
const closeWithin = 400

export class PostgresSession implements Session {
  readonly ttl: number
  readonly ordered = true
  readonly leases = 'session'
  readonly ended: Promise<LockError>
  readonly #options: SessionOptions
  readonly #keys: Keys
  readonly #lock: Connection
  readonly #ledger = new Ledger()
  readonly #outbox: Outbox
  readonly #waits: Waits
  readonly #watches: Subscriptions
  readonly #listener: Listener
  readonly #form: Form
  readonly #heartbeat: Heartbeat
  /** On the monotonic clock. */
  readonly #graceUntil: number
  #end!: (why: LockError) => void
  #closing: Promise<void> | undefined
  #over = false

  constructor({ grace, keys, lock, sent, channel, connect, formOf }: SessionParts, options: SessionOptions) {
    const { ttl, clock, random, namespace, events } = options
    this.ttl = ttl
    this.#options = options
    this.#keys = keys
    this.#lock = lock
    this.#graceUntil = clock.now().mono + grace
    this.ended = new Promise((resolve) => (this.#end = resolve))
    this.#outbox = new Outbox(this.#ledger, {
      joins: (op, taken) => this.#form.joins(op, taken),
      send: (ops) => this.#form.send(ops),
    })
    this.#waits = new Waits({
      clock,
      waiting: () => [...this.#ledger.all].filter(({ state }) => state === 'queued'),
      look: (line) => this.#outbox.look(line),
    })
    this.#watches = new Subscriptions((watched) => this.#listener.listen(watched))
    this.#listener = new Listener({
      clock,
      random,
      period: ttl,
      channels: () => [channel, ...this.#watches.keys],
      connect,
      heard: (key, where) => {
        if (where === channel) this.#waits.look([...this.#ledger.at(BigInt(key))])
        else this.#watches.tell(where)
      },
      restored: () => {
        this.#waits.lookAtAll()
        this.#watches.tellAll()
      },
    })
    this.#form = formOf({
      clock,
      namespace,
      keys,
      lock,
      listener: this.#listener,
      ledger: this.#ledger,
      outbox: this.#outbox,
      proved: (sent) => this.#proved(sent),
      granted: (grant) => events.granted(grant),
      lost: ({ claim }) => events.lost(claim.id, 'gone'),
      broken: (error) => this.#finish(failureOf(error)),
    })
    const beat = async () => ({ sent: await this.#form.beat(), ttl })
    const died = () => this.#finish(unavailable(`the Postgres server did not answer for ${ttl} ms`))
    this.#heartbeat = new Heartbeat({ clock, ttl, period: ttl / 3, beat, died }, { sent, ttl })
    void lock.ended.then((why) => this.#finish(why))
  }

  /** Settles when the session hears of what has become free. */
  listen(check: (connection: Connection) => Promise<void>): Promise<void> {
    return this.#listener.open(check)
  }

  acquire(request: Request): Promise<Grant | 'queued' | null> {
    const known = this.#ledger.get(request.id)
    if (known) return this.#again(known)
    const left = this.#graceUntil - this.#options.clock.now().mono
    if (left > 0) {
      const why = 'the Postgres server was started lately, and locks that it has forgotten may still be believed in'
      return Promise.reject(unavailable(`${why}; it grants again in ${Math.ceil(left)} ms`))
    }
    const line = this.#line(request)
    line.asked = new Promise((resolve, reject) => {
      this.#outbox.push({ kind: 'acquire', line, wait: request.wait, resolve, reject })
    })
    line.asked.then((found) => found === 'queued' && this.#waits.start(), nothing)
    return line.asked
  }

  async renew(claims: readonly Claim[]): Promise<ReadonlyMap<string, Grant | Proof | Loss>> {
    await this.#heartbeat.renewed()
    return new Map(claims.map(({ id }) => [id, this.#standing(this.#ledger.get(id))] as const).filter(isKnown))
  }

  remove(claim: Claim): Promise<boolean> {
    const line = this.#ledger.get(claim.id) ?? this.#line({ ...claim, mode: 'exclusive' })
    if (this.#outbox.withdraw(line)) {
      this.#ledger.delete(line)
      return Promise.resolve(false)
    }
    line.removal ??= new Promise((resolve, reject) => {
      const settled =
        <T>(tell: (answer: T) => void) =>
        (answer: T) => {
          line.removal = undefined
          tell(answer)
        }
      this.#outbox.push({ kind: 'remove', line, resolve: settled(resolve), reject: settled(reject) })
    })
    return line.removal
  }

  own(): Promise<readonly Claim[]> {
    return this.#form.own()
  }

  watch(name: string, changed: () => void): Promise<() => void> {
    return this.#watches.add(`${channelPrefix}${this.#keys.key(name)}`, changed)
  }

  query(name?: string): Promise<readonly Entry[]> {
    return this.#form.query(name)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#rest()
    await settledWithin(this.#options.clock, this.#leave(), closeWithin)
    this.#finish(unavailable('the session was closed'))
  }

  async #leave(): Promise<void> {
    if (this.#over) return
    await this.#form.leave()
    await Promise.all([this.#lock.end(), this.#listener.end()])
  }

  /** Nothing more is asked for. */
  #rest(): void {
    this.#heartbeat.end()
    this.#waits.close()
    this.#watches.close()
    this.#form.close()
    this.#outbox.close(unavailable('the session was closed'))
  }

  /** Lets go of everything local; what is held goes with the connection. */
  #finish(why: LockError): void {
    if (this.#over) return
    this.#over = true
    this.#rest()
    this.#lock.destroy(why)
    this.#listener.destroy()
    this.#end(why)
  }

  /** A request that is made again: on one connection an answer that is lost is lost with the session. */
  #again(line: Line): Promise<Grant | 'queued' | null> {
    if (line.state === 'asked') return line.asked ?? Promise.resolve(null)
    if (line.state === 'queued') return Promise.resolve('queued')
    return Promise.resolve(grantOf(line, this.#heartbeat.proof))
  }

  #proved(sent: Instant): Proof {
    this.#heartbeat.note({ sent, ttl: this.ttl })
    return this.#heartbeat.proof
  }

  #standing(line: Line | undefined): Grant | Proof | Loss | undefined {
    const { proof } = this.#heartbeat
    if (!line) return 'gone'
    if (line.state === 'asked') return undefined
    return line.state === 'queued' ? proof : grantOf(line, proof)
  }

  #line(request: Claimed): Line {
    const line = lineOf(request, this.#keys)
    this.#ledger.add(line)
    return line
  }
}

function isKnown<T>(found: readonly [string, T | undefined]): found is readonly [string, T] {
  return found[1] !== undefined
}

const nothing = (): void => {}
