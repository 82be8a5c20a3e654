import { elapsed, LockError, type Clock, type Instant, type Random, type Timer } from '@locks/core/backend'
import type { Committed, Database, Transaction } from './database.ts'
import { failureOf, type DatabaseFailure } from './failures.ts'

type Kind = 'read' | 'write'

interface Operation {
  readonly kind: Kind
  readonly cost: number
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

const mostTogether = 64

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

  /** `cost`: how many ordinary operations it weighs. */
  run<T>(kind: Kind, work: (tx: Transaction) => T, cost = 1): Promise<T> {
    if (this.#over) return Promise.reject(this.#over)
    return new Promise((resolve, reject) => {
      this.#operations.push({ kind, cost, work, resolve, reject, answer: () => {} })
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
    const batch = this.#next()
    const now = this.#host.clock.now()
    let committed: Committed<void>
    try {
      const kind = batch.every((operation) => operation.kind === 'read') ? 'read' : 'write'
      committed = this.#database.transact(kind, now, (tx) => batch.forEach((operation) => perform(operation, tx)))
    } catch (error) {
      return this.#failed(batch, failureOf(error), now)
    }
    this.#attempts = 0
    this.#busySince = undefined
    this.#operations.splice(0, batch.length)
    this.#host.woken(committed.woken)
    for (const effect of committed.after) effect()
    for (const { answer } of batch) answer()
    this.#schedule()
  }

  /** So many that others are not kept from writing for long. */
  #next(): Operation[] {
    let cost = 0
    const end = this.#operations.findIndex((operation, at) => (cost += operation.cost) > mostTogether && at > 0)
    return this.#operations.slice(0, end < 0 ? undefined : end)
  }

  #failed(batch: readonly Operation[], { severity, error }: DatabaseFailure, now: Instant): void {
    if (severity === 'busy') return this.#waitForOthers(now)
    this.#reject(batch.length, error)
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
    if (++this.#attempts <= Number(process.env.SPIN ?? 0)) { setImmediate(() => this.#drain()); return }
    const most = Math.min(2 ** (this.#attempts - Number(process.env.SPIN ?? 0)), 16)
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
