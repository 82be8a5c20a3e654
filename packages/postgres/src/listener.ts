import type { Clock, Random, Timer } from '@locks/core/backend'
import type { Connection, Statement } from './connection.ts'
import { failureOf, unavailable } from './failures.ts'

export interface ListenerOptions {
  readonly clock: Clock
  readonly random: Random
  /** Milliseconds between two looks at a connection that has been quiet; the server drops it after three. */
  readonly period: number
  /** What it listens to from the beginning. */
  readonly channels: () => readonly string[]
  readonly connect: () => Connection
  readonly heard: (payload: string, channel: string) => void
  /** Notifications may have been lost until now. */
  readonly restored: () => void
}

/**
 * The connection that hears of what has become free and of what is watched, and that answers what others might have to
 * wait for. Not the one that holds the locks: what a stopped process does not read fills that connection, and the server
 * does not see that it is idle.
 */
export class Listener {
  readonly #options: ListenerOptions
  #connection: Connection | undefined
  #timer: Timer | undefined
  #failures = 0
  #closed = false

  constructor(options: ListenerOptions) {
    this.#options = options
  }

  /** Settles when it listens; rejects when the attempt fails. */
  async open(check: (connection: Connection) => Promise<void> = () => Promise.resolve()): Promise<void> {
    const { connect, channels, heard, period } = this.#options
    const connection = connect()
    this.#connection = connection
    connection.onNotification(heard)
    try {
      await connection.connect()
      await connection.run(
        `SET search_path = pg_catalog; SET default_transaction_isolation = 'read committed';
         SET idle_session_timeout = ${Math.ceil(3 * period)}; SET jit = off;
         ${channels().map(listenTo).join(';')}`,
      )
      await check(connection)
    } catch (error) {
      connection.destroy()
      throw failureOf(error)
    }
    if (this.#closed) return connection.destroy()
    this.#failures = 0
    void connection.ended.then(() => this.#again())
    this.#watch(connection)
  }

  /** Settles when the connection that there is hears of a channel, as long as it lasts, with what ends that. */
  async listen(channel: string): Promise<() => void> {
    await this.run(listenTo(channel), [])
    return () => void this.run(`UNLISTEN "${channel}"`, []).catch(() => {})
  }

  async run(statement: Statement | string, values: readonly unknown[]): Promise<readonly (readonly unknown[])[]> {
    if (!this.#connection) throw unavailable('the Postgres server is not connected')
    try {
      return await this.#connection.run(statement, () => values)
    } catch (error) {
      throw failureOf(error)
    }
  }

  /** Settles when the server has closed it. */
  async end(): Promise<void> {
    this.#closed = true
    this.#timer?.cancel()
    await this.#connection?.end()
  }

  destroy(): void {
    this.#closed = true
    this.#timer?.cancel()
    this.#connection?.destroy()
  }

  /** A connection that is dead and says nothing would not be noticed otherwise. */
  #watch(connection: Connection): void {
    if (this.#closed) return
    const { clock, period } = this.#options
    this.#timer = clock.after(period, () => {
      const late = clock.after(period, () => connection.destroy())
      this.#timer = late
      connection.run('SELECT').then(
        () => {
          late.cancel()
          this.#watch(connection)
        },
        () => late.cancel(),
      )
    })
  }

  #again(): void {
    this.#timer?.cancel()
    this.#connection = undefined
    if (this.#closed) return
    const { clock, random, restored } = this.#options
    const delay = Math.min(1_000, 10 * 2 ** this.#failures++) * (0.5 + random.unit() / 2)
    this.#timer = clock.after(delay, () => {
      this.open().then(restored, () => this.#again())
    })
  }
}

const listenTo = (channel: string): string => `LISTEN "${channel}"`
