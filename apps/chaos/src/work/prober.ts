import { setTimeout as sleep } from 'node:timers/promises'
import { LockError, type LockManager } from '@locks/core'
import { Chance } from '../chance.ts'
import { locks as names, tried } from '../names.ts'
import { now } from '../now.ts'
import type { Sighting } from '../records.ts'
import type { Port } from './port.ts'
import { idsOf, type Task } from './worker.ts'

/** A try that is not answered within so many ms has failed. It is the manager's `connectTimeout` as well. */
export const patience = 500

/** How many tries a series has, and how long it rests between two, ms. */
export const tries = 3
const gap = 150

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
      await this.#try(this.#manager)
      await sleep(chance.between(0, 2 * gap))
    }
  }

  async #try(locks: LockManager): Promise<void> {
    const at = now()
    const failures: ('down' | 'late' | 'busy')[] = []
    while (failures.length < tries) {
      const asked = now()
      const answer = await locks
        .tryAcquire(tried)
        .catch((error: unknown) => LockError.find(error) ?? this.#broke(error))
      const late = now() - asked > patience
      if (answer && !(answer instanceof Error)) await answer.release()
      if (answer && !(answer instanceof Error) && !late) break
      failures.push(reason(answer instanceof Error ? answer.code : undefined, late))
      if (failures.length < tries) await sleep(gap)
    }
    const { client } = this.#task
    this.#port.tried({ client, at, until: now(), tries, failures, succeeded: failures.length < tries })
  }

  async #look(locks: LockManager, name: string): Promise<void> {
    const query = { id: this.#id(), action: 'query', client: this.#task.client, invoked: now() } as const
    const seen = await locks.query(name).catch((error: unknown) => {
      if (!LockError.find(error)) this.#broke(error)
      return undefined
    })
    const held = (seen?.held ?? []).map(({ owner, token }) => ({ name, client: owner, token: token?.toString() }))
    const outcome: Sighting['outcome'] = seen ? 'ok' : 'unknown'
    this.#port.saw({ ...query, completed: now(), outcome, held })
  }

  #broke(error: unknown): LockError {
    this.#port.broke(String((error as Error).stack ?? error))
    return new LockError('UNAVAILABLE', 'broke')
  }
}

/** Whether the store did not answer, not in time, or that somebody else has the lock. */
function reason(code: LockError['code'] | undefined, late: boolean): 'down' | 'late' | 'busy' {
  if (code === 'UNAVAILABLE') return 'down'
  return code !== undefined || late ? 'late' : 'busy'
}
