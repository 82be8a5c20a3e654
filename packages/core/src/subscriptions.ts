import { LockError } from './errors.ts'

interface Subscription {
  readonly listeners: Set<() => void>
  /** With what ends it at the store. */
  readonly inForce: Promise<() => void>
}

/** Begins to watch a key at the store. Settles when every later change will be told, with what ends it. */
export type Subscribe = (key: string, tell: () => void) => Promise<() => void>

/** Who is told of what. A key has one subscription at the store, however many listen to it here: the last ends it. */
export class Subscriptions {
  readonly #subscribe: Subscribe
  readonly #all = new Map<string, Subscription>()
  #closed = false

  constructor(subscribe: Subscribe) {
    this.#subscribe = subscribe
  }

  get keys(): readonly string[] {
    return [...this.#all.keys()]
  }

  /** Settles when it is in force, with what ends it for this listener. */
  async add(key: string, changed: () => void): Promise<() => void> {
    if (this.#closed) throw new LockError('UNAVAILABLE', 'the session was closed')
    const subscription = this.#all.get(key) ?? this.#begin(key)
    // Its own: the same function may listen twice.
    const told = () => changed()
    subscription.listeners.add(told)
    const end = await subscription.inForce
    return () => {
      if (!subscription.listeners.delete(told) || subscription.listeners.size > 0) return
      if (this.#forget(key, subscription)) end()
    }
  }

  tell(key: string): void {
    for (const told of this.#all.get(key)?.listeners ?? []) told()
  }

  /** News may have been lost until now. */
  tellAll(): void {
    for (const key of this.keys) this.tell(key)
  }

  /** The session is over: nobody is told any more. */
  close(): void {
    this.#closed = true
    for (const [key, subscription] of this.#all) {
      this.#forget(key, subscription)
      subscription.inForce.then(
        (end) => end(),
        () => {},
      )
    }
  }

  #begin(key: string): Subscription {
    const listeners = new Set<() => void>()
    const tell = () => listeners.forEach((told) => told())
    const subscription: Subscription = { listeners, inForce: this.#subscribe(key, tell) }
    this.#all.set(key, subscription)
    // With all who wait for the same: whoever listens next asks anew.
    subscription.inForce.catch(() => this.#forget(key, subscription))
    return subscription
  }

  #forget(key: string, subscription: Subscription): boolean {
    return this.#all.get(key) === subscription && this.#all.delete(key)
  }
}
