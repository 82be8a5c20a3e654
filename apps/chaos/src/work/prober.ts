import { setTimeout as sleep } from 'node:timers/promises'
import { LockError, type LockManager } from '@locks/core'
import { Chance } from '../chance.ts'
import { locks as names, tried } from '../names.ts'
import { now } from '../now.ts'
import type { Sighting } from '../records.ts'
import type { Act } from './acts.ts'
import { Belief } from './belief.ts'
import { Calls, isExpected } from './calls.ts'
import type { Port } from './port.ts'
import { idsOf, type Task } from './worker.ts'

/** A try that is not answered within so many ms has failed. It is the manager's `connectTimeout` as well. */
export const patience = 500

/** How many tries a series has, and how long it rests between two, ms. */
const tries = 3
const gap = 150

const attempt: Act = { kind: 'occupy', names: [tried], mode: 'exclusive', tries: true, lasts: 0, rest: 0 }

/** A client that does two things: it tries for a lock, again and again, and it looks who holds the others. */
export class Prober {
  readonly #task: Task
  readonly #port: Port
  readonly #open: () => Promise<LockManager>
  readonly #id: () => number
  #running = false
  #work: Promise<unknown> = Promise.resolve()
  #manager: LockManager | undefined

  constructor(task: Task, port: Port, open: () => Promise<LockManager>) {
    this.#task = task
    this.#port = port
    this.#open = open
    this.#id = idsOf(task.number)
  }

  /** It does not wait: that the store cannot be reached is what it is there to see. */
  async ready(): Promise<void> {}

  go(): void {
    if (this.#running) return
    this.#running = true
    this.#work = this.#run(new Chance(this.#task.seed, this.#task.number))
  }

  async settle(): Promise<void> {
    this.#running = false
    await this.#work
  }

  async close(): Promise<void> {
    await this.settle()
    await this.#manager?.close()
  }

  async #run(chance: Chance): Promise<void> {
    while (this.#running && !this.#manager) {
      this.#manager = await this.#open().catch((error: unknown) => {
        if (!LockError.find(error)?.temporary) throw error
        return undefined
      })
    }
    while (this.#running && this.#manager) {
      await this.#look(this.#manager, chance.oneOf(names))
      await this.#series(this.#manager)
      await sleep(chance.between(0, 2 * gap))
    }
  }

  async #series(locks: LockManager): Promise<void> {
    const at = now()
    const failures: ('down' | 'late' | 'busy')[] = []
    while (failures.length < tries) {
      const failure = await this.#try(locks)
      if (failure === undefined) break
      failures.push(failure)
      if (failures.length < tries) await sleep(gap)
    }
    const { client } = this.#task
    this.#port.tried({ client, at, until: now(), tries, failures, succeeded: failures.length < tries })
  }

  /** Why it failed, if it did: the store does not answer, not in time, or somebody else has the lock. */
  async #try(locks: LockManager): Promise<'down' | 'late' | 'busy' | undefined> {
    const calls = new Calls(attempt, this.#task.client, this.#id)
    for (const call of calls.begun) this.#port.began(call)
    try {
      const lock = await calls.run(() => locks.tryAcquire(tried))
      const ended = lock ? calls.granted(() => lock.token) : calls.failed(null)
      const belief = lock && new Belief(lock, ended, this.#port)
      for (const call of ended) this.#port.ended(call)
      const [call] = ended
      const late = call?.completed != null && call.completed - call.invoked > patience
      if (lock) belief?.end(await lock.release())
      return late ? 'late' : lock ? undefined : 'busy'
    } catch (error) {
      for (const call of calls.failed(error)) this.#port.ended(call)
      if (!isExpected(error)) this.#port.broke(String((error as Error).stack ?? error))
      return LockError.is(error, 'UNAVAILABLE') ? 'down' : 'late'
    }
  }

  async #look(locks: LockManager, name: string): Promise<void> {
    const query = { id: this.#id(), action: 'query', client: this.#task.client, invoked: now() } as const
    const seen = await locks.query(name).catch((error: unknown) => {
      if (!isExpected(error)) this.#port.broke(String((error as Error).stack ?? error))
      return undefined
    })
    const held = (seen?.held ?? []).map(({ owner, token }) => ({ name, client: owner, token: token?.toString() }))
    const outcome: Sighting['outcome'] = seen ? 'ok' : 'unknown'
    this.#port.saw({ ...query, completed: now(), outcome, held })
  }
}
