import { backoff, settledWithin, within } from './attempts.ts'
import type { Clock } from './clock.ts'
import type { Entry, Session } from './contract.ts'
import { LockError, unsupported } from './errors.ts'
import { internal } from './keeper.ts'
import { reignIn, type Leader, type Reign } from './leaders.ts'
import type { Random } from './random.ts'

export interface ObservationHost {
  readonly clock: Clock
  readonly random: Random
  /** A session, or a rejection that says why there is none. */
  ready(): Promise<Session>
  query(name: string): Promise<readonly Entry[]>
  /** It is read for the first time. */
  observing(observation: Observation): void
  /** It is over, and wants nothing any more. */
  observed(observation: Observation): void
}

type Result = IteratorResult<Leader | null, undefined>
const done: Result = { done: true, value: undefined }

/** How often a ttl it looks without news: whoever led and died is seen to be gone, also where nobody followed. */
const looks = 3

/** Follows who leads, from the first read on. It never falls behind: it gives what is newest. */
export class Observation implements AsyncIterableIterator<Leader | null, undefined> {
  readonly #host: ObservationHost
  readonly #name: string
  readonly #signal: AbortSignal | undefined
  readonly #readers: PromiseWithResolvers<Result>[] = []
  readonly #aborted = () => this.fail(this.#signal?.reason)
  #state: 'new' | 'running' | 'over' = 'new'
  #failure: { readonly error: unknown } | undefined
  /** What was seen last, and the id of what was given last: null for nobody, undefined before the first. */
  #seen: Reign | null | undefined
  #given: string | null | undefined
  /** The one that it follows, as long as that lasts. */
  #session: Session | undefined
  #wake = () => {}

  constructor(host: ObservationHost, name: string, signal: AbortSignal | undefined) {
    this.#host = host
    this.#name = name
    this.#signal = signal
  }

  next(): Promise<Result> {
    if (this.#state === 'new') this.#begin()
    const reader = Promise.withResolvers<Result>()
    this.#readers.push(reader)
    this.#give()
    return reader.promise
  }

  return(): Promise<Result> {
    this.#finish()
    return Promise.resolve(done)
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return()
  }

  /** A session has ended: whatever it watched for is told by the next. */
  left(session: Session): void {
    if (this.#session !== session) return
    this.#session = undefined
    this.#wake()
  }

  /** Ends it; whoever reads, or reads next, is told why. */
  fail(error: unknown): void {
    if (this.#state === 'over') return
    this.#failure = { error }
    this.#finish()
  }

  #begin(): void {
    if (this.#signal?.aborted) return this.fail(this.#signal.reason)
    this.#state = 'running'
    this.#host.observing(this)
    this.#signal?.addEventListener('abort', this.#aborted, { once: true })
    void this.#run()
  }

  #finish(): void {
    if (this.#state === 'over') return
    this.#state = 'over'
    this.#signal?.removeEventListener('abort', this.#aborted)
    this.#host.observed(this)
    this.#wake()
    this.#give()
  }

  async #run(): Promise<void> {
    for (let failures = 0; this.#state === 'running';) {
      try {
        await this.#follow(await this.#host.ready(), () => (failures = 0))
      } catch (error) {
        const why = LockError.find(error) ?? internal(error)
        if (!why.temporary) return this.fail(why)
        await this.#pause(++failures)
      }
    }
  }

  /** For as long as the session lasts. */
  async #follow(session: Session, looked: () => void): Promise<void> {
    let news = Promise.withResolvers<void>()
    this.#session = session
    this.#wake = () => news.resolve()
    const unwatch = this.#watch(session)
    try {
      while (this.#state === 'running' && this.#session === session) {
        // Before the store is asked: news that comes meanwhile may be of something that the answer does not have.
        news = Promise.withResolvers<void>()
        this.#seen = reignIn(await this.#host.query(this.#name)) ?? null
        this.#give()
        looked()
        if (this.#state === 'running') await settledWithin(this.#host.clock, news.promise, session.ttl / looks)
      }
    } finally {
      unwatch()
    }
  }

  /** Beside the looks, which need no watch. What has changed before it was in force is seen by the look that it brings then. */
  #watch(session: Session): () => void {
    let over = false
    let unwatch = () => {}
    const begin = async () => {
      for (let failures = 0; !over;) {
        try {
          const stop = await this.#watching(session)
          if (over) return stop()
          unwatch = stop
          return this.#wake()
        } catch (error) {
          const why = LockError.find(error) ?? internal(error)
          if (!why.temporary && !over) return this.fail(why)
          await this.#pause(++failures)
        }
      }
    }
    void begin()
    return () => {
      over = true
      unwatch()
    }
  }

  #watching(session: Session): Promise<() => void> {
    if (!session.watch) return Promise.reject(unsupported('this backend has no elections'))
    const watching = session.watch(this.#name, () => this.#wake())
    return within(this.#host.clock, watching, session.ttl, () => {
      watching.then((unwatch) => unwatch()).catch(() => {})
      return new LockError('UNAVAILABLE', 'the store did not answer whether it watches')
    })
  }

  #pause(failures: number): Promise<void> {
    const { clock, random } = this.#host
    return new Promise((resolve) => clock.after(backoff(failures, random), resolve))
  }

  #give(): void {
    if (this.#state === 'over') {
      for (const reader of this.#readers.splice(0)) this.#end(reader)
      return
    }
    const id = this.#seen && this.#seen.id
    if (id === undefined || id === this.#given || this.#readers.length === 0) return
    this.#given = id
    this.#readers.shift()?.resolve({ value: this.#seen?.leader ?? null })
  }

  #end(reader: PromiseWithResolvers<Result>): void {
    if (this.#failure) reader.reject(this.#failure.error)
    else reader.resolve(done)
    this.#failure = undefined
  }
}
