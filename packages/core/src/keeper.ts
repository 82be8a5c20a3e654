import { backoff, within } from './attempts.ts'
import { elapsed, type Clock, type Instant } from './clock.ts'
import type { Backend, Session, SessionOptions } from './contract.ts'
import { LockError, shown } from './errors.ts'

export interface KeeperHost {
  opened(session: Session): void
  ended(session: Session, why: LockError): void
  /** Opening is no use: whoever waits is to be told. */
  refused(why: LockError): void
  /** Whether anybody waits for a session. */
  wanted(): boolean
}

interface Waiting {
  resolve(session: Session): void
  reject(error: LockError): void
}

/** Milliseconds after which a session has lasted. */
const lasting = 10_000

/** Keeps one session at the store open while anybody needs one, and opens the next when it ends. */
export class SessionKeeper {
  readonly #backend: Backend
  readonly #options: SessionOptions
  readonly #clock: Clock
  readonly #connectTimeout: number
  readonly #host: KeeperHost
  #session: Session | undefined
  #opening = false
  #closed = false
  #lastError: LockError | undefined
  /** Whether there has been a session. */
  #met = false
  #openedAt: Instant
  /** How many sessions in a row have ended as soon as they were open. */
  #shortLived = 0
  readonly #waiting = new Set<Waiting>()

  constructor(
    backend: Backend,
    options: SessionOptions,
    { clock, connectTimeout }: { readonly clock: Clock; readonly connectTimeout: number },
    host: KeeperHost,
  ) {
    this.#backend = backend
    this.#options = options
    this.#clock = clock
    this.#openedAt = clock.now()
    this.#connectTimeout = connectTimeout
    this.#host = host
  }

  get current(): Session | undefined {
    return this.#session
  }

  /** Why there is no session, for messages. */
  unavailable(): LockError {
    const last = this.#lastError
    const why = last ? `: ${last.message}` : ` within ${this.#connectTimeout} ms`
    // Something is there, but has never answered as such a store does.
    const strange = !this.#met && last?.code !== 'UNAVAILABLE' && this.#backend.capabilities.scope === 'network'
    const hint = strange ? '; does the address lead to such a server, and does it want TLS, or none?' : ''
    return new LockError('UNAVAILABLE', `the backend ${shown(this.#backend.name)} did not answer${why}${hint}`)
  }

  /** Opens a session unless there is one or one is being opened. */
  wake(): void {
    if (this.#session || this.#opening || this.#closed) return
    this.#opening = true
    void this.#open()
  }

  /** A session within the connect time-out, or a rejection that says why there is none. */
  ready(): Promise<Session> {
    if (this.#session) return Promise.resolve(this.#session)
    if (this.#closed) return Promise.reject(closed())
    const { promise, ...waiting } = Promise.withResolvers<Session>()
    this.#waiting.add(waiting)
    this.wake()
    // Whoever has been told that it takes too long wants no session any more.
    return within(this.#clock, promise, this.#connectTimeout, () => this.unavailable()).finally(() => {
      this.#waiting.delete(waiting)
    })
  }

  /** Gives the session up: it could not be made to do what it must. */
  abandon(session: Session, why: LockError): void {
    session.close().catch(() => {})
    this.#end(session, why)
  }

  async close(): Promise<void> {
    this.#closed = true
    const session = this.#session
    this.#session = undefined
    this.#tell((waiting) => waiting.reject(closed()))
    await session?.close()
  }

  async #open(): Promise<void> {
    const { random } = this.#options
    // A session that does not last is no better than an attempt that fails, but for the first time.
    const first = Math.max(0, this.#shortLived - 1)
    for (let attempt = first; !this.#closed && (attempt === first || this.#wanted()); attempt++) {
      // Short enough that whoever asks once the store is back does not time out before the next attempt.
      const delay = Math.min(backoff(attempt, random), this.#connectTimeout / 4)
      if (attempt > 0) await new Promise<void>((resolve) => this.#clock.after(delay, resolve))
      try {
        this.#adopt(await this.#openOnce())
        return
      } catch (error) {
        this.#lastError = LockError.find(error) ?? internal(error)
        if (this.#lastError.temporary) continue
        const why = this.#lastError
        this.#opening = false
        this.#tell((waiting) => waiting.reject(why))
        this.#host.refused(why)
        return
      }
    }
    this.#opening = false
  }

  #openOnce(): Promise<Session> {
    const opening = this.#backend.open(this.#options)
    return within(this.#clock, opening, this.#connectTimeout, () => {
      // Too late is not never: a session that opens after all would keep its place at the store.
      opening.then((late) => late.close()).catch(() => {})
      return new LockError('OUTCOME_UNKNOWN', `no session within ${this.#connectTimeout} ms`)
    })
  }

  #adopt(session: Session): void {
    this.#opening = false
    if (this.#closed) {
      session.close().catch(() => {})
      return
    }
    this.#session = session
    this.#met = true
    this.#openedAt = this.#clock.now()
    this.#lastError = undefined
    session.ended.then(
      (why) => this.#end(session, why),
      (error: unknown) => this.#end(session, LockError.find(error) ?? internal(error)),
    )
    this.#host.opened(session)
    this.#tell((waiting) => waiting.resolve(session))
  }

  #end(session: Session, why: LockError): void {
    if (this.#session !== session) return
    this.#session = undefined
    const lived = elapsed(this.#openedAt, this.#clock.now())
    this.#shortLived = lived < Math.min(session.ttl, lasting) ? this.#shortLived + 1 : 0
    this.#lastError = why
    this.#host.ended(session, why)
    if (this.#wanted()) this.wake()
  }

  #wanted(): boolean {
    return this.#waiting.size > 0 || this.#host.wanted()
  }

  #tell(how: (waiting: Waiting) => void): void {
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    waiting.forEach(how)
  }
}

export const closed = (): LockError => new LockError('CLOSED', 'the lock manager was closed')

/** An exception that no adapter should throw. Its own text may hold anything, so only its kind is passed on. */
export function internal(error: unknown): LockError {
  const kind = error instanceof Error ? error.name : typeof error
  return new LockError('OUTCOME_UNKNOWN', `the adapter failed with an unexpected ${kind}`, { temporary: false })
}
