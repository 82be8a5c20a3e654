import type { LockError } from '@locks/core/backend'
import type { Client } from 'pg'
import { failureOf, unavailable, unknown } from './failures.ts'

/** Prepared on the connection at its first use, under its name. */
export interface Statement {
  readonly name: string
  readonly text: string
}

type Row = readonly unknown[]

interface Job {
  readonly statement: Statement | string
  readonly values: () => readonly unknown[]
  readonly resolve: (rows: readonly Row[]) => void
  readonly reject: (error: unknown) => void
}

/**
 * One connection, with one statement under way at a time: when one leaves, everything before it has been answered. So what
 * the server has of the session is known when a statement is made up, which is not before it leaves.
 */
export class Connection {
  /** Settles when the connection is over, by whose will ever. */
  readonly ended: Promise<LockError>
  readonly #client: Client
  readonly #jobs: Job[] = []
  #end!: (why: LockError) => void
  #connecting: Promise<void> | undefined
  #current: Job | undefined
  #over: LockError | undefined
  #why: unknown

  constructor(client: Client) {
    this.#client = client
    this.ended = new Promise((resolve) => (this.#end = resolve))
    // The server says why it ends a connection, and the socket says that it has ended.
    client.on('error', (error: unknown) => (this.#why ??= error))
    client.on('end', () =>
      this.#finish(failureOf(this.#why ?? unavailable('the Postgres server ended the connection'))),
    )
  }

  /** Settles when it is connected, which is begun by the first who asks. */
  connect(): Promise<void> {
    this.#connecting ??= this.#client.connect().then(
      () => undefined,
      (error: unknown) => {
        this.destroy()
        throw failureOf(error)
      },
    )
    return this.#connecting
  }

  /** The process that the server says it is, when it is asked to cancel something. */
  get processId(): number | undefined {
    return (this.#client as unknown as { processID?: number }).processID
  }

  onNotification(heard: (payload: string, channel: string) => void): void {
    this.#client.on('notification', ({ payload = '', channel }) => heard(payload, channel))
  }

  /** Rejects with the driver's own error. `urgent`: ahead of all that has not left yet. */
  run(
    statement: Statement | string,
    values: () => readonly unknown[] = none,
    urgent: boolean = false,
  ): Promise<readonly Row[]> {
    return new Promise((resolve, reject) => {
      if (this.#over) return reject(this.#over)
      const job = { statement, values, resolve, reject }
      if (urgent) this.#jobs.unshift(job)
      else this.#jobs.push(job)
      this.#next()
    })
  }

  /** Ends it in good order; settles when the server has closed it. */
  async end(): Promise<void> {
    if (this.#over) return
    await this.#client.end().catch(() => {})
  }

  destroy(why: LockError = unavailable('the connection was given up')): void {
    this.#why ??= why
    ;(this.#client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy()
    this.#finish(why)
  }

  #next(): void {
    const job = this.#current || this.#over ? undefined : this.#jobs.shift()
    if (!job) return
    this.#current = job
    const { statement } = job
    const what = typeof statement === 'string' ? { text: statement } : { ...statement, values: [...job.values()] }
    this.#client.query({ ...what, rowMode: 'array' }).then(
      ({ rows }) => this.#settle(job, () => job.resolve(rows ?? [])),
      (error: unknown) => this.#settle(job, () => job.reject(error)),
    )
  }

  #settle(job: Job, tell: () => void): void {
    if (this.#current !== job) return
    this.#current = undefined
    tell()
    // When whoever is told has taken it in: what leaves next may depend on it.
    process.nextTick(() => this.#next())
  }

  #finish(why: LockError): void {
    if (this.#over) return
    this.#over = why
    this.#current?.reject(unknown('the connection to the Postgres server failed before the answer came'))
    this.#current = undefined
    for (const job of this.#jobs.splice(0)) job.reject(why)
    this.#end(why)
  }
}

const none = (): readonly unknown[] => []
