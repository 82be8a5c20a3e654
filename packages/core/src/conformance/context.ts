import assert from 'node:assert/strict'
import type { Capabilities, Requirements } from '../capabilities.ts'
import type { Leader } from '../leaders.ts'
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
  async spawn(options: Pick<ManagerOptions, 'ttl' | 'handover'> = {}): Promise<RemoteProcess> {
    const { child } = this.#harness
    assert.ok(child, 'a backend whose scope is larger than a process needs harness.child')
    const remote = new RemoteProcess(child)
    this.defer(() => remote.kill())
    const { ttl = calmTtl(this.capabilities), handover } = options
    await remote.open({ ttl, namespace: this.namespace, handover })
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
  async queued(locks: LockManager, name: string, count: number, within?: number): Promise<void> {
    const isSo = async () => (await locks.query(name)).pending.length === count
    await this.until(`${count} wait for ${name}`, isSo, within)
  }

  /** What an observer was given so far, the latest last. Rejections are kept for whoever awaits `ended`. */
  observe(locks: LockManager, name: string): Observed {
    const stop = new AbortController()
    const seen: (Leader | null)[] = []
    const read = async () => {
      for await (const leader of locks.election(name).observe({ signal: stop.signal })) seen.push(leader)
    }
    const ended = read()
    ended.catch(noop)
    this.defer(() => stop.abort())
    return { seen, ended, value: () => seen.at(-1)?.value }
  }

  /** Waits until nobody holds a name or waits for it. */
  async empty(locks: LockManager, name: string, within?: number): Promise<void> {
    const isEmpty = async () => {
      const { held, pending } = await locks.query(name)
      return held.length + pending.length === 0
    }
    await this.until(`${name} is free`, isEmpty, within)
  }

  /**
   * Waits until a try is granted. After an outage a driver may repeat by itself a call that nobody wants any more, and what
   * that brings back is there until it is removed again.
   */
  async free(locks: LockManager, name: string, within?: number): Promise<void> {
    await this.until(`a try of ${name} is granted`, async () => (await locks.tryAcquire(name)) !== null, within)
  }

  /** Waits until a client is answered about these: after a fault its driver may have to connect anew, for each name. */
  async answered(locks: LockManager, names: readonly string[]): Promise<void> {
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

export interface Observed {
  readonly seen: readonly (Leader | null)[]
  readonly ended: Promise<void>
  /** That of the leader who was seen last. */
  readonly value: () => string | undefined
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
  const election = locks.election.bind(locks)
  const value = (name: string) => silenced(election(name), ['campaign'])
  Object.defineProperty(locks, 'election', { value })
  return silenced(locks, ['request', 'acquire', 'tryAcquire', 'acquireAll', 'query'])
}

function silenced<T extends object>(of: T, verbs: readonly (keyof T)[]): T {
  for (const verb of verbs) {
    const call = (of[verb] as (...args: readonly unknown[]) => Promise<unknown>).bind(of)
    const value = (...args: readonly unknown[]) => {
      const answer = call(...args)
      answer.catch(noop)
      return answer
    }
    Object.defineProperty(of, verb, { value })
  }
  return of
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
