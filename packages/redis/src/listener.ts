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
  /** There was a message on one of the other channels. */
  readonly told: (channel: string) => void
  /** Messages may have been lost until now. */
  readonly restored: () => void
}

/** One connection that is subscribed to a channel and to whichever are added, and another when that one fails. */
export class Listener {
  readonly #channel: string
  readonly #options: ListenerOptions
  readonly #others = new Set<string>()
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
    connection.on('message', (channel: string, message: string) => {
      this.#quiet = false
      if (channel === this.#channel) this.#options.heard(message)
      else this.#options.told(channel)
    })
    const ended = new Promise<never>((_, reject) => {
      connection.once('end', () => reject(failure(last)))
    })
    try {
      await Promise.race([connection.connect().then(() => connection.subscribe(this.#channel, ...this.#others)), ended])
    } catch (error) {
      hangUp(connection)
      throw failure(last ?? error)
    }
    this.#failures = 0
    ended.catch(() => this.#again())
    this.#watch(connection)
  }

  /** Settles when it listens to this too, with what ends that; rejects when the connection fails, or is only on its way back. */
  async subscribe(channel: string): Promise<() => void> {
    this.#others.add(channel)
    try {
      await this.#connection?.subscribe(channel)
    } catch (error) {
      this.#others.delete(channel)
      throw failure(error)
    }
    return () => this.#unsubscribe(channel)
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

  #unsubscribe(channel: string): void {
    this.#others.delete(channel)
    // One that is not ready subscribes to what is wanted when it is. What may not be unsubscribed from tells nobody.
    if (this.#connection?.status === 'ready') this.#connection.unsubscribe(channel).catch(() => {})
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
