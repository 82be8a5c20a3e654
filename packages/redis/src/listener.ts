import { hangUp } from './connect.ts'
import { failureOf, unavailable } from './failures.ts'
import type { Clock, LockError, Random, Timer } from '@locks/core/backend'
import type { Redis } from 'ioredis'

export interface ListenerOptions {
  readonly clock: Clock
  readonly random: Random
  /** Milliseconds between two looks at a connection that has been quiet. */
  readonly period: number
  /** A new connection, not connected yet, that gives up when it fails. */
  readonly connect: () => Redis | undefined
  readonly heard: (message: string) => void
  /** Messages may have been lost until now. */
  readonly restored: () => void
}

/** One connection that is subscribed to one channel, and another when that one fails. */
export class Listener {
  readonly #channel: string
  readonly #options: ListenerOptions
  #connection: Redis | undefined
  #timer: Timer | undefined
  #quiet = true
  #failures = 0
  #closed = false

  constructor(channel: string, options: ListenerOptions) {
    this.#channel = channel
    this.#options = options
  }

  /** Settles when it listens; rejects when the first attempt fails. */
  async open(): Promise<void> {
    const connection = this.#options.connect()
    if (!connection) throw unavailable('no server of the Redis cluster is known')
    this.#connection = connection
    let last: unknown
    connection.on('error', (error: unknown) => (last = error))
    connection.on('message', (_channel: string, message: string) => {
      this.#quiet = false
      this.#options.heard(message)
    })
    const ended = new Promise<never>((_, reject) => {
      connection.once('end', () => reject(failure(last)))
    })
    try {
      await Promise.race([connection.connect().then(() => connection.subscribe(this.#channel)), ended])
    } catch (error) {
      hangUp(connection)
      throw failure(last ?? error)
    }
    this.#failures = 0
    ended.catch(() => this.#again())
    this.#watch(connection)
  }

  close(): void {
    this.#closed = true
    this.#timer?.cancel()
    if (this.#connection) hangUp(this.#connection)
  }

  /** A connection that is dead and says nothing would not be noticed otherwise. */
  #watch(connection: Redis): void {
    if (this.#closed) return hangUp(connection)
    this.#timer = this.#options.clock.after(this.#options.period, () => {
      if (this.#quiet) connection.ping().catch(() => {})
      this.#quiet = true
      this.#watch(connection)
    })
  }

  #again(): void {
    this.#timer?.cancel()
    if (this.#closed) return
    const { clock, random, restored } = this.#options
    const delay = Math.min(1_000, 10 * 2 ** this.#failures++) * (0.5 + random.unit() / 2)
    this.#timer = clock.after(delay, () => {
      this.open().then(restored, () => this.#again())
    })
  }
}

const failure = (error: unknown): LockError => failureOf(error ?? new Error('closed'))
