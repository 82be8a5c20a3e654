import type { Claim, Entry, Grant, Loss, Proof, Request, Session, SessionOptions } from '../contract.ts'
import { LockError } from '../errors.ts'
import type { Claimed, MemoryStore, Owner } from './store.ts'

export class MemorySession implements Session {
  readonly ordered = true
  readonly leases = 'entry'
  readonly ttl: number
  readonly ended: Promise<LockError>
  readonly #store: MemoryStore
  readonly #owner: Owner
  #end!: (why: LockError) => void
  #closed: LockError | undefined

  constructor(store: MemoryStore, options: SessionOptions) {
    const { clientId, owner: label, ttl, clock, events } = options
    this.ttl = ttl
    this.ended = new Promise((resolve) => (this.#end = resolve))
    this.#store = store
    this.#owner = { clientId, label, ttl, clock, events, claims: new Map(), robbed: new Map() }
  }

  acquire(request: Request): Promise<Grant | 'queued' | null> {
    return this.#answer(() => this.#store.acquire(request, this.#owner))
  }

  renew(claims: readonly Claim[]): Promise<ReadonlyMap<string, Grant | Proof | Loss>> {
    return this.#answer(() => {
      const standings = new Map(claims.map(({ id }) => [id, this.#renewOne(id)]))
      this.#store.review(claims.flatMap(({ id }) => this.#owner.claims.get(id) ?? []))
      return standings
    })
  }

  remove(claim: Claim): Promise<boolean> {
    return this.#answer(() => {
      const claimed = this.#owner.claims.get(claim.id)
      if (claimed) this.#store.remove([claimed])
      return claimed !== undefined
    })
  }

  own(): Promise<readonly Claim[]> {
    return this.#answer(() => [...this.#owner.claims.values()].map(({ request }) => request))
  }

  raise(_name: string, token: bigint): Promise<void> {
    return this.#answer(() => this.#store.raise(token))
  }

  watch(name: string, changed: () => void): Promise<() => void> {
    return this.#answer(() => this.#store.watch(name, changed))
  }

  query(name?: string): Promise<readonly Entry[]> {
    const names = name === undefined ? this.#store.names() : [name]
    return this.#answer(() => names.flatMap((each) => this.#store.entries(each)))
  }

  close(): Promise<void> {
    this.#closed ??= new LockError('UNAVAILABLE', 'the session was closed')
    this.#store.remove([...this.#owner.claims.values()])
    this.#end(this.#closed)
    return Promise.resolve()
  }

  #renewOne(id: string): Grant | Proof | Loss {
    const claimed: Claimed | undefined = this.#owner.claims.get(id)
    if (claimed?.expired) this.#store.remove([claimed])
    if (!claimed || claimed.expired) return this.#owner.robbed.delete(id) ? 'stolen' : 'gone'
    claimed.sent = this.#owner.clock.now()
    return claimed.grant ?? { sent: claimed.sent, ttl: this.ttl }
  }

  #answer<T>(call: () => T | Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(this.#closed)
    try {
      return Promise.resolve(call())
    } catch (error) {
      return Promise.reject(error as Error)
    }
  }
}
