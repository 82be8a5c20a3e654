import {
  Heartbeat,
  type LockError,
  settledWithin,
  type Claim,
  type Contender,
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
import { Entries } from './entries.ts'
import { Exchange } from './exchange.ts'
import { failureOf, unavailable } from './failures.ts'
import type { Keys } from './keys.ts'
import { grantOf, isUnseen, Ledger, lineOf, type Line } from './ledger.ts'
import { Listener } from './listener.ts'
import { Outbox } from './outbox.ts'
import { Rows } from './rows.ts'
import { statementsOf, type Statements } from './statements.ts'
import { Waits } from './waits.ts'

export interface SessionParts {
  readonly number: number
  readonly schema: string
  /** Milliseconds for which the server grants nothing yet. */
  readonly grace: number
  readonly keys: Keys
  /** The connection that is the session: what it holds is held as long as it lasts. */
  readonly lock: Connection
  /** Before the session was begun. */
  readonly sent: Instant
  readonly connect: () => Connection
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
  readonly #statements: Statements
  readonly #ledger = new Ledger()
  readonly #exchange: Exchange
  readonly #outbox: Outbox
  readonly #waits: Waits
  readonly #listener: Listener
  readonly #entries: Entries
  readonly #heartbeat: Heartbeat
  /** On the monotonic clock. */
  readonly #graceUntil: number
  readonly #rows: Rows
  readonly #asked = new WeakMap<Line, Promise<Grant | 'queued' | null>>()
  #end!: (why: LockError) => void
  #closing: Promise<void> | undefined
  #over = false

  constructor({ number, schema, grace, keys, lock, sent, connect }: SessionParts, options: SessionOptions) {
    const { ttl, clock, random, namespace, events } = options
    this.ttl = ttl
    this.#options = options
    this.#keys = keys
    this.#lock = lock
    this.#graceUntil = clock.now().mono + grace
    this.#statements = statementsOf(schema, number)
    this.ended = new Promise((resolve) => (this.#end = resolve))
    this.#exchange = new Exchange({
      clock,
      ttl,
      connection: lock,
      statements: this.#statements,
      ledger: this.#ledger,
      granted: (grant) => events.granted(grant),
      unseen: () => this.#rows.addSoon(),
      lost: (line) => this.#lost(line),
      broken: (error) => this.#finish(failureOf(error)),
      look: (line) => this.#outbox.look(line),
    })
    this.#outbox = new Outbox(this.#ledger, this.#exchange)
    this.#waits = new Waits({
      clock,
      waiting: () => [...this.#ledger.all].filter(({ state }) => state === 'queued'),
      look: (line) => this.#outbox.look(line),
    })
    this.#listener = new Listener({
      clock,
      random,
      period: ttl,
      channel: `locks_${number}`,
      connect,
      heard: (key) => this.#waits.look([...this.#ledger.at(BigInt(key))]),
      restored: () => this.#waits.lookAtAll(),
    })
    this.#rows = new Rows({
      clock,
      ledger: this.#ledger,
      outbox: this.#outbox,
      find: () => this.#listener.run(this.#statements.rows, []),
      lost: (line) => this.#lost(line),
    })
    this.#entries = new Entries({ clock, keys, namespace, listener: this.#listener, statements: this.#statements })
    const beating = { clock, ttl, period: ttl / 3, beat: () => this.#beat(), died: () => this.#finish(silent(ttl)) }
    this.#heartbeat = new Heartbeat(beating, { sent, ttl })
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
    const answer = new Promise<Grant | 'queued' | null>((resolve, reject) => {
      this.#outbox.push({ kind: 'acquire', line, wait: request.wait, resolve, reject })
    })
    this.#asked.set(line, answer)
    answer.then((found) => found === 'queued' && this.#waits.start(), nothing)
    return answer
  }

  async renew(claims: readonly Claim[]): Promise<ReadonlyMap<string, Grant | Proof | Loss>> {
    const proof = await this.#heartbeat.renewed()
    return new Map(claims.map(({ id }) => [id, this.#standing(this.#ledger.get(id), proof)] as const).filter(isKnown))
  }

  remove(claim: Claim): Promise<boolean> {
    const line = this.#ledger.get(claim.id) ?? this.#line({ ...claim, mode: 'exclusive' })
    if (this.#outbox.withdraw(line)) {
      this.#ledger.delete(line)
      return Promise.resolve(false)
    }
    line.removal ??= new Promise<boolean>((resolve, reject) => {
      this.#outbox.push({ kind: 'remove', line, resolve, reject })
    }).finally(() => (line.removal = undefined))
    return line.removal
  }

  async own(): Promise<readonly Claim[]> {
    const found = await this.#listener.run(this.#statements.rows, [])
    const rows = found.map(([id, stored]) => ({ id: String(id), names: [this.#keys.given(String(stored))] }))
    const unseen = [...this.#ledger.all].filter(isUnseen).map(({ claim }) => claim)
    return [...rows, ...unseen]
  }

  async query(name?: string): Promise<readonly Entry[]> {
    // Every earlier call is to be seen: when it has been answered, what it got must have a row.
    await this.#outbox.idle()
    if (this.#rows.addNow(name === undefined ? undefined : this.#keys.stored(name))) await this.#outbox.idle()
    return this.#entries.find(name)
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
    const unseen = () => [[...this.#ledger.all].filter(isUnseen).map(({ key }) => String(key))]
    await this.#lock.run('SET statement_timeout = 0')
    await this.#lock.run(this.#statements.leave, unseen)
    await Promise.all([this.#lock.end(), this.#listener.end()])
  }

  /** Nothing more is asked for. */
  #rest(): void {
    this.#heartbeat.end()
    this.#waits.close()
    this.#rows.close()
    this.#entries.close()
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
    if (line.state === 'asked') return this.#asked.get(line) ?? Promise.resolve(null)
    if (line.state === 'queued') return Promise.resolve('queued')
    return Promise.resolve(grantOf(line, this.#heartbeat.proof))
  }

  #standing(line: Line | undefined, proof: Proof): Grant | Proof | Loss | undefined {
    if (!line) return 'gone'
    if (line.state === 'asked') return undefined
    return line.state === 'queued' ? proof : grantOf(line, proof)
  }

  #line(request: Claim & Contender): Line {
    const line = lineOf(request, this.#keys)
    this.#ledger.add(line)
    return line
  }

  /** Any answer shows that the connection lasts, and with it the session; this one also whether its rows are there. */
  async #beat(): Promise<Proof> {
    let [sent, expected] = [this.#options.clock.now(), 0]
    const leaving = () => {
      ;[sent, expected] = [this.#options.clock.now(), this.#ledger.rows]
      return []
    }
    const [[count] = []] = await this.#lock.run(this.#statements.count, leaving, true)
    if (Number(count) < expected) this.#rows.compare()
    return { sent, ttl: this.ttl }
  }

  /** Somebody has deleted its row, or it was freed by a statement that was then undone. */
  #lost(line: Line): void {
    this.#ledger.delete(line)
    this.#exchange.soil(line.key)
    this.#options.events.lost(line.claim.id, 'gone')
  }
}

function isKnown<T>(found: readonly [string, T | undefined]): found is readonly [string, T] {
  return found[1] !== undefined
}

const silent = (ms: number) => unavailable(`the Postgres server did not answer for ${ms} ms`)
const nothing = (): void => {}
