import assert from 'node:assert/strict'
import type { Capabilities, Requirements } from '../capabilities.ts'
import { LockError, type ErrorCode } from '../errors.ts'
import { LockManager, type ManagerOptions } from '../manager.ts'
import { encodeName } from '../names.ts'
import type { Harness, Wire } from './harness.ts'
import { RemoteProcess } from './remote.ts'

let serial = 0

/** What a case has at hand: clients, faults, processes and patience, all put away when it ends. */
export class Context {
  readonly capabilities: Capabilities
  /** A ttl short enough to wait for. */
  readonly ttl: number
  readonly namespace: string
  readonly #harness: Harness
  readonly #cleanups: (() => unknown)[] = []
  #names = 0

  constructor(harness: Harness, id: string) {
    this.#harness = harness
    this.capabilities = harness.capabilities
    this.ttl = harness.ttl
    this.namespace = `${id}.${process.pid}.${++serial}`
  }

  /** A name that nobody else uses. */
  name(): string {
    return `name ${++this.#names}`
  }

  /** A connected manager, with a ttl that does not get in the way unless another is asked for. */
  async open(options: ManagerOptions = {}): Promise<LockManager> {
    return this.#connect(new LockManager(await this.#harness.open(), this.#options(options)))
  }

  /** The same over a line that can fail. */
  async openWired(options: ManagerOptions = {}): Promise<{ locks: LockManager; wire: Wire }> {
    const { backend, wire } = await this.#harness.openWired()
    const locks = await this.#connect(new LockManager(backend, this.#options(options)))
    this.defer(() => wire.heal())
    return { locks, wire }
  }

  /** A connected manager in another process. */
  async spawn(options: { readonly ttl?: number } = {}): Promise<RemoteProcess> {
    const { child } = this.#harness
    assert.ok(child, 'a backend whose scope is larger than a process needs harness.child')
    const remote = new RemoteProcess(child)
    this.defer(() => remote.kill())
    await remote.open({ ttl: options.ttl ?? calmTtl(this.capabilities), namespace: this.namespace })
    return remote
  }

  /** Deletes the holder of a name at the store. */
  async evict(name: string): Promise<void> {
    await this.#harness.evict(encodeName(this.namespace), encodeName(name))
  }

  defer(cleanup: () => unknown): void {
    this.#cleanups.push(cleanup)
  }

  async end(): Promise<void> {
    for (const cleanup of this.#cleanups.toReversed()) await cleanup()
  }

  /** Waits for a condition; `what` completes "timed out waiting until …". */
  async until(what: string, condition: () => boolean | Promise<boolean>, within = 10_000): Promise<void> {
    const end = performance.now() + within
    while (!(await condition())) {
      if (performance.now() > end) assert.fail(`timed out after ${within} ms waiting until ${what}`)
      await pause(5)
    }
  }

  /** Waits until the store has granted a waiter by itself. Where it has no order, that may take the waiter's own doing. */
  async handedOver(granted: () => Promise<boolean>): Promise<void> {
    if (this.capabilities.order === 'fifo') await this.until('the store has granted it', granted)
  }

  /** Waits until so many requests for a name are queued at the store. */
  async queued(locks: LockManager, name: string, count: number): Promise<void> {
    await this.until(`${count} wait for ${name}`, async () => (await locks.query(name)).pending.length === count)
  }

  /** Waits until nobody holds a name or waits for it. */
  async empty(locks: LockManager, name: string, within?: number): Promise<void> {
    const isEmpty = async () => {
      const { held, pending } = await locks.query(name)
      return held.length + pending.length === 0
    }
    await this.until(`${name} is free`, isEmpty, within)
  }

  /** Waits until a client is answered: after a fault its driver may have to connect anew, maybe for each name. */
  async answered(locks: LockManager, names: readonly string[] = [this.name()]): Promise<void> {
    const ask = () =>
      Promise.all(names.map((name) => locks.query(name))).then(
        () => true,
        () => false,
      )
    await this.until('the store answers', ask)
  }

  /**
   * What calls come to that must not make anything leave for the store. They are made again where something has left: a
   * driver may send a request of its own meanwhile, but hardly each time.
   */
  async sendsNothing<T>(wire: Wire, calls: () => Promise<T>): Promise<T> {
    for (let round = 1; ; round++) {
      const before = await wire.sent()
      const outcome = await calls()
      const sent = (await wire.sent()) - before
      if (sent === 0) return outcome
      assert.ok(round < 3, `${sent} requests have left for the store`)
    }
  }

  /** Rejects unless a promise settles in time; the time it took, ms. */
  async settles(promise: Promise<unknown>, within: number): Promise<number> {
    const started = performance.now()
    const { signal, cancel } = patience(within)
    try {
      await Promise.race([promise.then(noop, noop), signal])
    } finally {
      cancel()
    }
    return performance.now() - started
  }

  /** The `LockError` that a call ends with. */
  async fails(call: Promise<unknown> | (() => unknown), code: ErrorCode): Promise<LockError> {
    const error = await thrown(call)
    const found = LockError.find(error)
    assert.ok(found, `expected a LockError ${code}, got ${String(error)}`)
    assert.equal(found.code, code, found.message)
    return found
  }

  async refuses(call: (locks: LockManager) => Promise<unknown>): Promise<void> {
    const locks = await this.open()
    await this.fails(call(locks), 'UNSUPPORTED')
  }

  async refusesToStart(requirements: Requirements): Promise<void> {
    await this.fails(() => this.open({ require: requirements }), 'UNSUPPORTED')
  }

  #options(options: ManagerOptions): ManagerOptions {
    return { namespace: this.namespace, ttl: calmTtl(this.capabilities), ...options }
  }

  async #connect(locks: LockManager): Promise<LockManager> {
    this.defer(() => locks.close())
    await locks.connect()
    return withoutEcho(locks)
  }
}

/** What a call throws or rejects with. */
export async function thrown(call: Promise<unknown> | (() => unknown)): Promise<unknown> {
  let result: unknown
  try {
    result = await (typeof call === 'function' ? call() : call)
  } catch (error) {
    return error
  }
  assert.fail(`expected a rejection, got ${String(result)}`)
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

const noop = (): void => {}

/** What a failed case leaves unawaited must not end the process as an unhandled rejection. */
function withoutEcho(locks: LockManager): LockManager {
  for (const verb of ['request', 'acquire', 'tryAcquire', 'acquireAll', 'query'] as const) {
    const call = locks[verb].bind(locks) as (...args: readonly unknown[]) => Promise<unknown>
    const value = (...args: readonly unknown[]) => {
      const answer = call(...args)
      answer.catch(noop)
      return answer
    }
    Object.defineProperty(locks, verb, { value })
  }
  return locks
}

function calmTtl({ ttl }: Capabilities): number {
  return Math.min(Math.max(20_000, ttl.min), ttl.max)
}

function patience(ms: number): { signal: Promise<never>; cancel: () => void } {
  let timer: NodeJS.Timeout | undefined
  const signal = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new assert.AssertionError({ message: `not settled within ${ms} ms` })), ms)
  })
  return { signal, cancel: () => clearTimeout(timer) }
}
