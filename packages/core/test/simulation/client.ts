import { LockError, LockManager, type Lock, type LockSet } from '@locks/core'
import type { Backend } from '@locks/core/backend'
import { simulated, type Kind } from './adapter.ts'
import { Belief, type Wish } from './belief.ts'
import type { Chance } from './chance.ts'
import type { Watch } from './watch.ts'
import type { Line } from './line.ts'
import type { Machine } from './machine.ts'
import type { Server } from './server.ts'

export interface ClientOptions {
  readonly machine: Machine
  readonly line: Line
  readonly server: Server
  readonly chance: Chance
  readonly watch: Watch
  readonly wrap: (backend: Backend) => Backend
  readonly kind: Kind
  readonly ttl: number
  readonly connectTimeout: number
}

/** A call for a lock that has not been answered. */
export interface Call {
  readonly client: Client
  readonly wish: Wish
  /** True time. */
  readonly since: number
  readonly waits: boolean
  readonly timeout?: number | undefined
  readonly abort?: AbortController | undefined
  /** Of its first request to the store. */
  id: string
}

/** A callback that runs under a lock. */
interface Running {
  readonly belief: Belief
  readonly finish: (outcome: 'value' | 'error') => void
}

/** A program that uses locks, on one machine, and minds what it is told. */
export class Client {
  readonly machine: Machine
  readonly line: Line
  readonly locks: LockManager
  readonly clientId: string
  readonly ttl: number
  readonly connectTimeout: number
  readonly calls = new Set<Call>()
  readonly held: Belief[] = []
  readonly running: Running[] = []
  /** The tokens of what it has let go of. */
  readonly released = new Set<bigint>()
  closed = false
  sessionsEnded = 0
  readonly #watch: Watch
  readonly #chance: Chance
  readonly #sets: Kind['sets']
  readonly #world: { readonly now: number }
  readonly #ids = new WeakMap<Belief, string>()

  constructor(world: { readonly now: number }, options: ClientOptions) {
    const { machine, line, server, chance, watch, wrap, kind, ttl, connectTimeout } = options
    this.#world = world
    this.machine = machine
    this.line = line
    this.ttl = ttl
    this.#sets = kind.sets
    this.connectTimeout = connectTimeout
    this.#watch = watch
    this.#chance = chance
    this.locks = new LockManager(wrap(simulated(server, line, kind, watch.removing(machine, kind.leases))), {
      ttl,
      connectTimeout,
      clock: machine,
      random: chance,
      owner: machine.name,
    })
    this.clientId = chance.lastId
  }

  /** How many claims it wants to have at the store. */
  get wanted(): number {
    const each = ({ names }: Wish) => (this.#sets === 'atomic' ? 1 : names.length)
    let wanted = 0
    for (const { wish } of this.calls) wanted += each(wish)
    for (const belief of this.held) wanted += each(belief.wish)
    for (const { belief } of this.running) wanted += each(belief.wish)
    return wanted
  }

  /** Whether nothing has ever gone wrong for it: only then the order in which its calls take effect is promised. */
  get calm(): boolean {
    return this.line.calm && this.machine.disturbedAt === 0
  }

  acquire(wish: Wish, timeout?: number): void {
    const abort = new AbortController()
    const call = this.#begin(wish, true, { timeout, abort })
    const { mode, permits, weight, names } = wish
    const options = { signal: abort.signal, ...(timeout !== undefined && { timeout }) }
    const kind =
      permits === undefined ? ({ mode: mode === 'shared' ? mode : 'exclusive' } as const) : { permits, weight }
    const [name = ''] = names
    this.#follow(
      call,
      names.length > 1
        ? this.locks.acquireAll(names, { ...options, ...('mode' in kind && { mode: kind.mode }) })
        : this.locks.acquire(name, { ...options, ...kind }),
    )
  }

  try(wish: Wish): void {
    const { mode, permits, weight, names } = wish
    const call = this.#begin({ ...wish, names: names.slice(0, 1) }, false)
    const kind =
      permits === undefined ? ({ mode: mode === 'shared' ? mode : 'exclusive' } as const) : { permits, weight }
    this.#follow(call, this.locks.tryAcquire(names[0] ?? '', kind))
  }

  steal(): void {
    const wish: Wish = { names: ['a'], mode: 'exclusive', steal: true }
    this.#follow(this.#begin(wish, true), this.locks.acquire('a', { steal: true }))
  }

  /** Its callback ends when a step says so. */
  request(wish: Wish, timeout: number | undefined): void {
    const [name = ''] = wish.names
    if (wish.permits !== undefined) return this.acquire(wish)
    const call = this.#begin({ names: [name], mode: 'exclusive' }, true, { timeout })
    const result = {}
    const error = new Error('mine')
    const outcome = Promise.withResolvers<object>()
    outcome.promise.catch(() => {})
    let ended: 'value' | 'error' | undefined
    let belief: Belief | undefined
    let entered = false
    let synchronous = true
    const settled = this.locks.request(name, timeout === undefined ? {} : { timeout }, (lock) => {
      if (synchronous) this.#watch.world.violated('request', 'its callback was called synchronously')
      entered = true
      belief = this.#take(call, lock)
      const own = belief
      const finish = (how: 'value' | 'error') => {
        if (own.held) {
          ended = how
          own.released = true
          this.#watch.duties.add(this.machine, 'a request settles when its callback has', 1_000, settled)
        }
        if (how === 'value') outcome.resolve(result)
        else outcome.reject(error)
      }
      this.running.push({ belief, finish })
      return outcome.promise
    })
    synchronous = false
    this.#called(call)
    settled.then(
      (value) => {
        if (ended !== 'value' || value !== result) this.#watch.world.violated('request', 'resolved to another result')
      },
      (why: unknown) => {
        if (!entered) return this.#failed(call, why)
        if (ended !== undefined) {
          if (ended === 'value' || why !== error)
            this.#watch.world.violated('request', 'a release replaced its outcome')
          return
        }
        const found = LockError.find(why)
        if (found?.code !== 'LOST' || !(found.callback instanceof Promise) || belief?.held) {
          this.#watch.world.violated('request', `rejected under its lock with ${String(why)}`)
        }
        if (belief) belief.seenLost = true
      },
    )
  }

  finish(how: 'value' | 'error'): void {
    this.running.shift()?.finish(how)
  }

  release(): void {
    const belief = this.held.shift()
    if (belief) this.releaseOne(belief)
  }

  releaseOne(belief: Belief): void {
    this.#watch.releasing(this, belief, this.#ids.get(belief) ?? '')
  }

  /** Ends all that it has. */
  letGo(): void {
    while (this.held.length > 0) this.release()
    while (this.running.length > 0) this.finish('value')
  }

  query(): void {
    const check = this.#watch.ledger.asked(this, 'a')
    this.locks.query('a').then(check, () => {})
  }

  abort(): void {
    for (const call of this.calls) {
      if (!call.abort || call.abort.signal.aborted) continue
      this.#watch.duties.add(this.machine, 'an aborted wait settles', 1_000, () => !this.calls.has(call))
      call.abort.abort(new Error('changed my mind'))
      return
    }
  }

  /** Asks of all locks whether they are held, as a program does. */
  look(): void {
    for (const belief of [...this.held, ...this.running.map((each) => each.belief)]) this.#watch.looked(belief)
  }

  async close(): Promise<void> {
    if (this.closed) return
    this.closed = true
    const closed = this.locks.close()
    this.#watch.closing(this, closed)
    await closed
  }

  #begin(wish: Wish, waits: boolean, limits: { timeout?: number | undefined; abort?: AbortController } = {}): Call {
    const call: Call = { client: this, wish, since: this.#world.now, waits, ...limits, id: '' }
    this.calls.add(call)
    return call
  }

  #called(call: Call): void {
    call.id = this.#chance.lastId
    this.#watch.called(call)
  }

  #follow(call: Call, answer: Promise<Lock | LockSet | null>): void {
    this.#called(call)
    answer.then(
      (lock) => {
        if (lock) this.held.push(this.#take(call, lock))
        else {
          this.calls.delete(call)
          this.#watch.refused(call)
        }
      },
      (why: unknown) => this.#failed(call, why),
    )
  }

  #take(call: Call, lock: Lock | LockSet): Belief {
    this.calls.delete(call)
    // As some stores have it, whole seconds.
    const ttl = Math.ceil(this.ttl / 1_000) * 1_000
    const belief = new Belief(lock, call.wish, this.machine, ttl, this.#chance.unit() < 0.5)
    this.#ids.set(belief, call.id)
    this.#watch.granted(call, belief)
    return belief
  }

  #failed(call: Call, why: unknown): void {
    this.calls.delete(call)
    this.#watch.failed(call, why)
  }
}
