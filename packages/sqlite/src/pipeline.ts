import { elapsed, LockError, type Clock, type Instant, type Random, type Timer } from '@locks/core/backend'
import type { Committed, Database, Transaction } from './database.ts'
import { failureOf, type DatabaseFailure } from './failures.ts'

type Kind = 'read' | 'write'

interface Operation {
  readonly kind: Kind
  readonly work: (tx: Transaction) => unknown
  readonly resolve: (result: never) => void
  readonly reject: (error: LockError) => void
  /** How it went in the latest transaction, to be told when that is committed. */
  answer: () => void
}

export interface PipelineHost {
  readonly clock: Clock
  readonly random: Random
  /** Milliseconds for which the database may stay busy. */
  readonly patience: number
  woken(sessions: ReadonlySet<number>): void
  /** The database is of no use any more. */
  broken(error: LockError): void
}

/** So many operations, or milliseconds, that others are not kept from writing for long, nor the event loop. */
const mostTogether = 64
const longestTogether = 4

/**
 * The operations of a session, in the order of their calls. Those that have gathered share a transaction; the one
 * that is refused fails alone. While another process writes, they wait without keeping the event loop.
 */
export class Pipeline {
  readonly #database: Database
  readonly #host: PipelineHost
  #operations: Operation[] = []
  #scheduled = false
  #retry: Timer | undefined
  #attempts = 0
  #busySince: Instant | undefined
  #over: LockError | undefined

  constructor(database: Database, host: PipelineHost) {
    this.#database = database
    this.#host = host
  }

  run<T>(kind: Kind, work: (tx: Transaction) => T): Promise<T> {
    if (this.#over) return Promise.reject(this.#over)
    return new Promise((resolve, reject) => {
      this.#operations.push({ kind, work, resolve, reject, answer: () => {} })
      this.#schedule()
    })
  }

  /** Nothing runs after this; what has not run was not applied. */
  end(why: LockError): void {
    this.#over ??= why
    this.#retry?.cancel()
    this.#reject(this.#operations.length, why)
  }

  #schedule(): void {
    if (this.#scheduled || this.#over || this.#operations.length === 0) return
    this.#scheduled = true
    // Not as a microtask: a loop of acquire and release would keep timers and input waiting for its whole length.
    setImmediate(() => this.#drain())
  }

  #drain(): void {
    this.#scheduled = false
    if (this.#over) return
    const gathered = this.#operations.slice(0, mostTogether)
    const now = this.#host.clock.now()
    let committed: Committed<Operation[]>
    try {
      const kind = gathered.every((operation) => operation.kind === 'read') ? 'read' : 'write'
      committed = this.#database.transact(kind, now, (tx) => this.#perform(gathered, tx))
    } catch (error) {
      return this.#failed(gathered.length, failureOf(error), now)
    }
    const { result: done, woken, after } = committed
    this.#attempts = 0
    this.#busySince = undefined
    this.#operations.splice(0, done.length)
    this.#host.woken(woken)
    for (const effect of after) effect()
    for (const { answer } of done) answer()
    this.#schedule()
  }

  /** As many as there is time for; the others stay for the next transaction. */
  #perform(operations: readonly Operation[], tx: Transaction): Operation[] {
    const done: Operation[] = []
    for (const operation of operations) {
      perform(operation, tx)
      done.push(operation)
      if (this.#host.clock.now().mono - tx.now.mono > longestTogether) break
    }
    return done
  }

  #failed(count: number, { severity, error }: DatabaseFailure, now: Instant): void {
    if (severity === 'busy') return this.#waitForOthers(now)
    this.#reject(count, error)
    if (severity === 'broken') this.#host.broken(error)
    else this.#schedule()
  }

  #waitForOthers(now: Instant): void {
    this.#busySince ??= now
    const { clock, random, patience } = this.#host
    if (elapsed(this.#busySince, now) > patience) {
      // No entry was renewed in that time, so all are over.
      const message = `another process kept the database busy for longer than ${patience} ms`
      return this.#host.broken(new LockError('UNAVAILABLE', message))
    }
    this.#scheduled = true
    const most = Math.min(2 ** ++this.#attempts, 16)
    this.#retry = clock.after(1 + most * random.unit(), () => this.#drain())
  }

  #reject(count: number, error: LockError): void {
    for (const { reject } of this.#operations.splice(0, count)) reject(error)
  }
}

function perform(operation: Operation, tx: Transaction): void {
  try {
    const result = operation.work(tx) as never
    operation.answer = () => operation.resolve(result)
  } catch (error) {
    if (!(error instanceof LockError)) throw error
    operation.answer = () => operation.reject(error)
  }
}
