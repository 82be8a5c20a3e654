import { setTimeout as sleep } from 'node:timers/promises'
import { LockError, type Lock, type LockManager, type LockSet } from '@locks/core'
import { Chance } from '../chance.ts'
import { locks as names } from '../names.ts'
import { mayStandInLine, nextAct, type Act } from './acts.ts'
import { Belief } from './belief.ts'
import { Calls, changedMind, isExpected } from './calls.ts'
import { Observer } from './observer.ts'
import type { Port } from './port.ts'
import { section } from './section.ts'

export interface Task {
  /** A name and a number of its own, never used again. */
  readonly client: string
  readonly number: number
  readonly seed: number
  readonly ttl: number
  /** How many things it does at a time. */
  readonly lanes: number
  /** Whether its manager hands its locks over locally. */
  readonly handover: boolean
}

/** Ids of records: of each client its own million. The odd ones are for what follows from a record: a call's hold. */
export const idsOf = (number: number): (() => number) => {
  let next = number * 1_000_000
  return () => (next += 2)
}

/** A client that goes on acquiring, holding and releasing, in all the ways that there are. */
export class Worker {
  readonly #task: Task
  readonly #port: Port
  readonly #open: () => Promise<LockManager>
  readonly #id: () => number
  readonly #beliefs = new Set<Belief>()
  readonly #observer: Observer
  #manager: Promise<LockManager>
  #running = false
  #lanes: Promise<unknown> = Promise.resolve()

  constructor(task: Task, port: Port, open: () => Promise<LockManager>) {
    this.#task = task
    this.#port = port
    this.#open = open
    this.#id = idsOf(task.number)
    this.#observer = new Observer(task.client, port)
    this.#manager = this.#opened()
  }

  /** Resolves once it has reached the store. */
  async ready(): Promise<void> {
    await this.#manager
  }

  /** Begins to work. */
  go(): void {
    if (this.#running) return
    this.#running = true
    const { lanes, seed, number } = this.#task
    this.#lanes = Promise.all(Array.from({ length: lanes }, (_, at) => this.#work(new Chance(seed, number, at))))
  }

  /** Begins nothing new; resolves once everything has ended. */
  async settle(): Promise<void> {
    this.#running = false
    await this.#lanes
  }

  /** Takes each lock once, and all of them together, to see that they can be had; and leads, to see that it is seen to. */
  async probe(timeout: number): Promise<void> {
    const { elections } = (await this.#manager).capabilities
    const each = { mode: 'exclusive', timeout, lasts: 0, rest: 0 } as const
    for (const name of names) await this.#lock({ kind: 'lock', names: [name], ...each }, { probe: true })
    await this.#lock({ kind: 'set', names, ...each }, { probe: true })
    if (!elections) return
    for (const name of names) await this.#lock({ kind: 'lead', names: [name], ...each }, { probe: true })
  }

  /** Blocks its thread, with everything that it does. */
  stall(ms: number): void {
    for (const belief of this.#beliefs) belief.read()
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
    for (const belief of this.#beliefs) belief.read({ blocked: true })
  }

  async close(): Promise<void> {
    await this.settle()
    await (await this.#manager).close()
  }

  /** While the store cannot be reached, nothing can be opened; nor while a fault has made it one that is refused. */
  async #opened(): Promise<LockManager> {
    for (;;) {
      try {
        const locks = await this.#open()
        if (locks.capabilities.elections) this.#observer.follow(locks)
        return locks
      } catch (error) {
        if (!LockError.find(error)?.temporary && !LockError.is(error, 'UNSUPPORTED')) throw error
        await sleep(50)
      }
    }
  }

  async #work(chance: Chance): Promise<void> {
    while (this.#running) {
      const { capabilities } = await this.#manager
      const act = nextAct(chance, this.#task.ttl, capabilities)
      await (act.kind === 'reopen' ? this.#reopen() : this.#lock(act))
      await sleep(act.rest)
    }
  }

  async #reopen(): Promise<void> {
    const former = await this.#manager
    this.#manager = former.close().then(() => this.#opened())
    await this.#manager
  }

  async #lock(act: Act, { probe = false } = {}): Promise<void> {
    const locks = await this.#manager
    const { client, handover } = this.#task
    const inLine = handover && mayStandInLine(act, locks.capabilities)
    const calls = new Calls(act, client, this.#id, { probe, inLine })
    for (const call of calls.begun) this.#port.began(call)
    let granted = false
    const inside = async (lock: Lock | LockSet | null) => {
      granted = true
      await this.#inside(lock, calls, act, probe)
    }
    try {
      const held = await calls.run(() => ask(locks, act, inside, calls))
      if (held === undefined) return
      await inside(held)
    } catch (error) {
      if (!isExpected(error)) this.#port.broke(String((error as Error).stack ?? error))
      if (!granted) for (const call of calls.failed(error)) this.#port.ended(call)
      // Of a `request` whose lock was lost, the callback goes on.
      await LockError.find(error)?.callback
    }
  }

  async #inside(lock: Lock | LockSet | null, calls: Calls, act: Act, probe: boolean): Promise<void> {
    const ended = lock ? calls.granted((name) => tokenOf(lock, name)) : calls.failed(null)
    // Before anything else: from the moment of the grant on it is believed in.
    const belief = lock && new Belief(lock, ended, this.#port)
    for (const call of ended) this.#port.ended(call)
    if (!lock || !belief) return
    this.#beliefs.add(belief)
    try {
      await section(ended, belief, act.lasts, this.#port)
      if (probe && act.kind === 'lead') await this.#observer.sees(ended[0]?.id ?? 0, act.timeout ?? 0)
      belief.read()
    } finally {
      this.#beliefs.delete(belief)
    }
    // `request` releases it by itself, which comes to the same: once more does nothing.
    belief.end(await lock.release())
  }
}

/** The lock, or nothing if it has been given to `inside` already. */
async function ask(
  locks: LockManager,
  act: Act,
  inside: (lock: Lock) => Promise<void>,
  { begun: [call] }: Calls,
): Promise<Lock | LockSet | null | undefined> {
  const { names, mode, weight, steal, timeout, abortAfter } = act
  const [name = ''] = names
  const signal = abortAfter === undefined ? undefined : after(abortAfter)
  const limits = { timeout, signal }
  const kind = mode === 'permit' ? { permits: 3, weight } : { mode }
  if (act.kind === 'lead') return locks.election(name).campaign({ value: String(call?.id), ...limits })
  if (act.kind === 'set') return locks.acquireAll(names, limits)
  if (act.tries) return locks.tryAcquire(name, kind)
  if (!act.byRequest) return locks.acquire(name, { ...kind, ...limits, steal })
  await locks.request(name, { ...kind, ...limits }, inside)
  return undefined
}

/** A signal that nobody has to listen to. */
function after(ms: number): AbortSignal {
  const controller = new AbortController()
  setTimeout(() => controller.abort(changedMind), ms).unref()
  return controller.signal
}

function tokenOf(lock: Lock | LockSet, name: string): bigint {
  return 'tokens' in lock ? (lock.tokens.get(name) ?? 0n) : lock.token
}
