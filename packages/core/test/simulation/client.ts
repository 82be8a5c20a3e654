import { LockManager, type Lock, type LockSet } from '@locks/core'
import { tokenSpacing, type Backend } from '@locks/core/backend'
import { simulated, type Kind } from './adapter.ts'
import { Belief, type Wish } from './belief.ts'
import { Callback } from './callback.ts'
import type { Chance } from './chance.ts'
import { grantOf, Hands } from './hands.ts'
import type { Watch } from './watch.ts'
import type { Line } from './line.ts'
import type { Machine } from './machine.ts'
import type { Server } from './server.ts'
import type { World } from './world.ts'

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
  /** Whether its manager hands over locally. */
  readonly handover: boolean
}

/** A call for a lock that has not been answered. */
export interface Call {
  readonly client: Client
  readonly wish: Wish
  /** Which one of its client's it is. */
  readonly at: number
  /** True time. */
  readonly since: number
  readonly waits: boolean
  readonly timeout?: number | undefined
  readonly abort?: AbortController | undefined
  /** Of its first request to the store. */
  id: string
  /** Whether it may stand in line behind another. */
  behind: boolean
}

/** A program that uses locks, on one machine, and minds what it is told. */
export class Client {
  readonly machine: Machine
  readonly line: Line
  readonly locks: LockManager
  readonly clientId: string
  readonly ttl: number
  readonly connectTimeout: number
  readonly handover: boolean
  readonly sets: Kind['sets']
  readonly hands: Hands
  readonly calls = new Set<Call>()
  readonly held: Belief[] = []
  readonly running: Callback[] = []
  /** The tokens of what it has let go of. */
  readonly released = new Set<bigint>()
  closed = false
  sessionsEnded = 0
  reacting = false
  readonly #watch: Watch
  readonly #chance: Chance
  readonly #world: World
  #count = 0
  readonly #ids = new WeakMap<Belief, string>()

  constructor(world: World, options: ClientOptions) {
    const { machine, line, server, chance, watch, wrap, kind, ttl, connectTimeout, handover } = options
    this.#world = world
    this.machine = machine
    this.line = line
    this.ttl = ttl
    this.sets = kind.sets
    this.handover = handover
    this.hands = new Hands(this, world)
    this.connectTimeout = connectTimeout
    this.#watch = watch
    this.#chance = chance
    this.locks = new LockManager(wrap(simulated(server, line, kind, watch.duties.removals(machine, kind.leases))), {
      ttl,
      connectTimeout,
      clock: machine,
      random: chance,
      owner: machine.name,
      handover: handover ? 'local' : 'store',
    })
    this.clientId = chance.lastId
  }

  /** How many claims it wants to have at the store. */
  get wanted(): number {
    const lines = new Set<string>()
    let wanted = 0
    for (const each of [...this.calls, ...this.beliefs]) {
      const names = this.hands.inLine(each)
      for (const name of names) lines.add(name)
      if (names.length === 0) wanted += this.sets === 'atomic' ? 1 : each.wish.names.length
    }
    return wanted + lines.size
  }

  /** The locks that it has, whoever is to release them. */
  get beliefs(): readonly Belief[] {
    return [...this.held, ...this.running.flatMap(({ belief }) => belief ?? [])]
  }

  /** Whether nothing has ever gone wrong for it: only then the order in which its calls take effect is promised. */
  get calm(): boolean {
    return this.machine.alive && this.line.calm && this.machine.disturbedAt === 0
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

  /** Its callback ends when a step says so, or at once. */
  request(wish: Wish, timeout: number | undefined, brief = false): void {
    if (wish.permits !== undefined) return this.acquire(wish)
    const [name = ''] = wish.names
    const call = this.#begin({ names: [name], mode: 'exclusive' }, true, { timeout })
    const callback = new Callback(this.machine, this.#watch)
    const settled = this.locks.request(name, timeout === undefined ? {} : { timeout }, (lock) => {
      const outcome = callback.enter(this.#take(call, lock))
      if (brief) callback.finish('value')
      else this.running.push(callback)
      return outcome
    })
    callback.called(settled, (why) => this.#failed(call, why))
    this.#called(call)
  }

  /** Many who want one lock and need it only for a moment; a few where each of them waits at the store. */
  crowd(wish: Wish, size: number): void {
    const many = this.handover && wish.permits === undefined && size % 2 === 1
    const count = many ? tokenSpacing + 10 : size % 6
    for (let each = 0; each < count; each++) this.request(wish, undefined, true)
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
    this.#drop()
    while (this.running.length > 0) this.finish('value')
  }

  /** To the loss of a lock, while core tells of it: lets go of the others. */
  #react(): void {
    this.reacting = true
    this.#drop()
    this.reacting = false
  }

  #drop(): void {
    while (this.held.length > 0) this.release()
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
    for (const belief of this.beliefs) this.#watch.looked(belief)
  }

  async close(): Promise<void> {
    if (this.closed) return
    this.closed = true
    const closed = this.locks.close()
    this.#watch.closing(this, closed)
    await closed
  }

  #begin(wish: Wish, waits: boolean, limits: { timeout?: number | undefined; abort?: AbortController } = {}): Call {
    const call: Call = {
      client: this,
      wish,
      at: ++this.#count,
      since: this.#world.now,
      waits,
      ...limits,
      id: '',
      behind: false,
    }
    this.calls.add(call)
    return call
  }

  #called(call: Call): void {
    call.id = this.#chance.lastId
    call.behind = this.hands.isBehind(call)
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
    const mind = this.#chance.unit()
    const belief = new Belief(lock, call, this.machine, ttl, mind < 0.5)
    // Not of callbacks, which end later than this.
    if (mind < 0.15) belief.onLost = () => this.#react()
    this.hands.given(call, belief)
    const [token = 0n] = belief.tokens.values()
    const id = this.hands.idOf(token) ?? call.id
    this.#ids.set(belief, id)
    if (token !== grantOf(token)) this.#watch.ledger.kept(id)
    this.#watch.granted(call, belief)
    return belief
  }

  #failed(call: Call, why: unknown): void {
    this.calls.delete(call)
    this.#watch.failed(call, why)
  }
}
