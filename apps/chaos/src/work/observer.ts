import { setTimeout as sleep } from 'node:timers/promises'
import { LockError, type LockManager } from '@locks/core'
import { locks as names } from '../names.ts'
import { now } from '../now.ts'
import type { Port } from './port.ts'

/** Follows who leads each of the locks, over one manager after the other, and reports every change. */
export class Observer {
  readonly #client: string
  readonly #port: Port
  /** The latest of each observation. */
  readonly #seen = new Map<number, number | null>()
  readonly #awaited = new Map<number, () => void>()
  #observations = 0

  constructor(client: string, port: Port) {
    this.#client = client
    this.#port = port
  }

  /** Until the manager is closed. */
  follow(locks: LockManager): void {
    for (const name of names) {
      this.#read(locks, name, ++this.#observations).catch((error: unknown) => {
        if (!LockError.is(error, 'CLOSED')) this.#port.broke(`an observation ended with ${String(error)}`)
      })
    }
  }

  /** Settles when the campaign with this id has been seen to lead, or when it is too late for that. */
  async sees(id: number, within: number): Promise<void> {
    if ([...this.#seen.values()].includes(id)) return
    const seen = new Promise<void>((resolve) => this.#awaited.set(id, resolve))
    await Promise.race([seen, sleep(within)])
    this.#awaited.delete(id)
  }

  async #read(locks: LockManager, name: string, observation: number): Promise<void> {
    for await (const leader of locks.election(name).observe()) {
      const id = leader && Number(leader.value)
      const token = leader?.token === undefined ? {} : { token: String(leader.token) }
      const client = this.#client
      this.#port.observed({ action: 'observed', client, observation, name, at: now(), leader: id, ...token })
      this.#seen.set(observation, id)
      if (id !== null) this.#awaited.get(id)?.()
    }
  }
}
