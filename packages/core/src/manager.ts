import { hostname } from 'node:os'
import { checkRequirements, demand as demandPromises, type Capabilities, type Requirements } from './capabilities.ts'
import { checkOptions, instance, longestTimer, milliseconds, oneOf, text } from './checks.ts'
import { systemClock, type Clock } from './clock.ts'
import { holding, holds } from './context.ts'
import type { Backend } from './contract.ts'
import * as demands from './demand.ts'
import type { AcquireOptions, Demand, LockOptions, RequestOptions, SetOptions } from './demand.ts'
import { Election } from './election.ts'
import { Engine } from './engine.ts'
import { invalid, LockError, shown, unsupported } from './errors.ts'
import type { Lease } from './lease.ts'
import { LeaseLock, LeaseLockSet, type Lock, type LockSet } from './lock.ts'
import { checkName, encodeName } from './names.ts'
import { checkNode } from './node-version.ts'
import { platformError } from './platform.ts'
import { systemRandom, type Random } from './random.ts'
import { acquireInOrder } from './sets.ts'
import { snapshot, type LockManagerSnapshot } from './snapshot.ts'
import { warn, type Attempt } from './telemetry.ts'

export interface ManagerOptions {
  /** Milliseconds that a crashed holder may keep others out; 10,000 unless said otherwise. */
  readonly ttl?: number | undefined
  /** Locks of different namespaces never meet; `'locks'` unless said otherwise. */
  readonly namespace?: string | undefined
  /** What others see as the owner of this manager's locks; host and process id unless said otherwise. */
  readonly owner?: string | undefined
  /** Milliseconds within which a call that does not wait must reach the store; 5,000 unless said otherwise. */
  readonly connectTimeout?: number | undefined
  /** Promises without which the application must not start. */
  readonly require?: Requirements | undefined
  /**
   * `'local'`: of the callers of this manager who want the same exclusive lock, one waits at the store, and a lock that is
   * released passes to the next of them at once, without a round trip, each time with a higher token. After 64 of them,
   * or a second, it goes back to the store and so to others. Arrival order holds within the manager only then;
   * and after a theft that the manager has not heard of (half a ttl at most), holders in line have tokens below the thief's.
   * `'store'` unless said otherwise: every caller waits at the store, in the order that the backend promises.
   */
  readonly handover?: 'store' | 'local' | undefined
  /** For tests: where time comes from. */
  readonly clock?: Clock | undefined
  /** For tests: where chance comes from. */
  readonly random?: Random | undefined
}

/**
 * Locks on one backend: a superset of the Web Locks API (`navigator.locks`) across processes and machines.
 * It connects with its first call, or by `openLocks`, and holds its place at the store until it is closed.
 */
export class LockManager implements AsyncDisposable {
  /** What the backend promises, and this manager with it. */
  readonly capabilities: Capabilities
  readonly #backend: Backend
  readonly #namespace: string
  readonly #engine: Engine

  constructor(backend: Backend, options?: ManagerOptions) {
    checkNode()
    checkBackend(backend)
    const { ttl: limits } = backend.capabilities
    const given = checkOptions(options, {
      ttl: milliseconds(limits.min, limits.max),
      namespace: text(100),
      owner: text(200),
      connectTimeout: milliseconds(1, longestTimer),
      require: requirements,
      handover: oneOf('store', 'local'),
      clock: instance('a clock', (value): value is Clock => isObject(value) && 'now' in value),
      random: instance('a source of chance', (value): value is Random => isObject(value) && 'id' in value),
    })
    const lines = given.handover === 'local'
    this.capabilities = lines ? { ...backend.capabilities, order: 'none' } : backend.capabilities
    demandPromises(backend.name, this.capabilities, given.require ?? {})
    this.#backend = backend
    this.#namespace = given.namespace ?? 'locks'
    this.#engine = new Engine(backend, {
      ttl: given.ttl ?? Math.min(Math.max(10_000, limits.min), limits.max),
      namespace: encodeName(this.#namespace),
      owner: given.owner ?? `${hostname()}:${process.pid}`,
      connectTimeout: given.connectTimeout ?? 5_000,
      clock: given.clock ?? systemClock,
      random: given.random ?? systemRandom,
      lines,
    })
  }

  /** Connects now instead of with the first call; rejects within the connect time-out where that fails. */
  connect(): Promise<void> {
    return this.#engine.connect()
  }

  /**
   * Runs a callback under the lock and settles as it does, as `navigator.locks.request`. If the lock is lost or
   * stolen while the callback runs, it rejects at once, with the callback's outcome on the error.
   */
  request<T>(name: string, callback: (lock: Lock) => T): Promise<Awaited<T>>
  request<T>(
    name: string,
    options: (RequestOptions & { readonly ifAvailable?: false | undefined }) | undefined | null,
    callback: (lock: Lock) => T,
  ): Promise<Awaited<T>>
  request<T>(
    name: string,
    options: RequestOptions | undefined | null,
    callback: (lock: Lock | null) => T,
  ): Promise<Awaited<T>>
  async request(name: string, ...rest: readonly unknown[]): Promise<unknown> {
    const options = rest.length > 1 ? rest[0] : undefined
    const callback = (rest.length > 1 ? rest[1] : rest[0]) as (lock: Lock | null) => unknown
    let demand: Demand | undefined
    let lease: Lease | null
    try {
      demand = demands.checkRequest(name, options, callback, this.capabilities)
      lease = (await this.#acquire([name], demand)) ?? this.#unlessAvailable(name, demand)
    } catch (error) {
      // A signal's reason is passed on as it is, also when it is one of ours, such as another lock's loss.
      if (!(error instanceof LockError) || error === demand?.signal?.reason) throw error
      throw platformError(error)
    }
    if (!lease) return callback(null)
    return this.#runUnder(lease, callback)
  }

  /** A lock. Rejects with `TIMEOUT`, with the signal's reason, or when the backend refuses. */
  async acquire(name: string, options?: AcquireOptions): Promise<Lock> {
    const demand = demands.checkAcquire(name, options, this.capabilities)
    const lease = await this.#acquire([name], demand)
    if (!lease) throw notAtOnce(name)
    return new LeaseLock(this.#engine, lease)
  }

  /**
   * A lock if it is free, else null: never waits for another holder, and is refused while others wait. An
   * unreachable store is no null: `UNAVAILABLE`, or `OUTCOME_UNKNOWN` where an answer did not come.
   */
  async tryAcquire(name: string, options?: LockOptions): Promise<Lock | null> {
    const demand = demands.checkTry(name, options, this.capabilities)
    const lease = await this.#acquire([name], demand)
    return lease && new LeaseLock(this.#engine, lease)
  }

  /** Several locks, all or none, without a deadlock whatever the order in which others name them. */
  async acquireAll(names: readonly string[], options?: SetOptions): Promise<LockSet> {
    const demand = demands.checkSet(names, options, this.capabilities)
    const list = [...names]
    if (this.capabilities.sets === 'atomic' || list.length === 1) {
      const lease = await this.#acquire(list, demand)
      if (!lease) throw notAtOnce(...list)
      return new LeaseLockSet(this.#engine, list, [lease])
    }
    const leases = await acquireInOrder(list, demand, {
      clock: this.#engine.clock,
      acquire: (name, each) => this.#acquire([name], each),
      release: (lease) => this.#engine.release(lease),
      refused: (name) => notAtOnce(name),
    })
    return new LeaseLockSet(this.#engine, list, leases)
  }

  /** The election of this name. Throws where the name or the backend will not do; asks nothing of the store. */
  election(name: string): Election {
    demands.checkElection(name, this.capabilities)
    return new Election(name, this.#engine, async (demand) => {
      const lease = await this.#acquire([name], demand)
      if (!lease) throw notAtOnce(name)
      return lease
    })
  }

  /** Who holds and who waits, in this namespace: of one name, or of all. Plain objects, waiters in queue order. */
  async query(name?: string): Promise<LockManagerSnapshot> {
    if (name !== undefined) checkName(name)
    else if (this.capabilities.listing === 'none') throw unsupported('this backend cannot list all names')
    return snapshot(await this.#engine.query(name === undefined ? undefined : encodeName(name)))
  }

  /**
   * Releases everything, rejects everybody who waits, and ends the session at the store. Settles within a second,
   * also when the store is silent.
   */
  close(): Promise<void> {
    return this.#engine.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #acquire(names: readonly string[], demand: Demand): Promise<Lease | null> {
    const { mode, permits, weight, steal, wait, value, timeout, signal } = demand
    const { clientId } = this.#engine
    const attempt: Attempt = {
      names,
      mode,
      permits,
      weight,
      backend: this.#backend.name,
      namespace: this.#namespace,
      clientId,
    }
    const id = this.#engine.random.id()
    const request = { id, names: names.map(encodeName), mode, permits, weight, wait, steal, value }
    // A time-out of nothing is answered by the store's first word, not by a timer.
    const until = timeout === 0 ? undefined : timeout
    const own = names.find((name) => holds(this, name))
    const onQueued = own === undefined ? undefined : () => warnOfSelf(own)
    return this.#engine.acquire(request, attempt, { timeout: until, signal, onQueued })
  }

  #unlessAvailable(name: string, demand: Demand): null {
    if (demand.timeout === 0) throw notAtOnce(name)
    return null
  }

  #runUnder(lease: Lease, callback: (lock: Lock) => unknown): Promise<unknown> {
    const lock = new LeaseLock(this.#engine, lease)
    // A promise in any case: a throw is a rejection, and a thenable is followed once.
    const outcome = holding(this, lease, () => new Promise((resolve) => resolve(callback(lock))))
    return new Promise((resolve, reject) => {
      lease.onLost((error) => {
        error.callback = outcome
        reject(platformError(error))
      })
      const settle = () => lock.release().then(() => resolve(outcome))
      outcome.then(settle, settle)
    })
  }
}

const requirements = {
  fromText: (given: string): unknown => given,
  check(value: unknown): Requirements {
    checkRequirements(value)
    return value
  },
}

function checkBackend(backend: unknown): asserts backend is Backend {
  if (isObject(backend) && 'open' in backend && 'capabilities' in backend) return
  throw invalid(`LockManager takes a backend, as an adapter makes it; got ${shown(backend)}`)
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

function notAtOnce(...names: readonly string[]): LockError {
  return new LockError('TIMEOUT', `${names.map(shown).join(', ')} is held or waited for`)
}

function warnOfSelf(name: string): void {
  warn(
    'SELF_WAIT',
    `a request for ${shown(name)} waits for a lock that its own callback holds; locks are not re-entrant`,
  )
}
