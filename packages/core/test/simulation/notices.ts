import type { LockEvents } from '@locks/core'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Client } from './client.ts'
import type { World } from './world.ts'

/** Listens to what core publishes: that a lock was granted, and that it is at risk, has to be said before it is lost. */
export class Notices {
  readonly #world: World
  readonly #clients: () => Iterable<Client>
  readonly #granted = new WeakSet<object>()
  readonly #atRisk = new WeakSet<object>()

  constructor(world: World, clients: () => Iterable<Client>) {
    this.#world = world
    this.#clients = clients
    subscribe('locks:granted', this.#grant)
    subscribe('locks:at-risk', this.#risk)
    subscribe('locks:lost', this.#loss)
    subscribe('locks:session', this.#session)
  }

  close(): void {
    unsubscribe('locks:granted', this.#grant)
    unsubscribe('locks:at-risk', this.#risk)
    unsubscribe('locks:lost', this.#loss)
    unsubscribe('locks:session', this.#session)
  }

  readonly #grant = (message: unknown): void => {
    this.#granted.add((message as LockEvents['locks:granted']).attempt)
  }

  readonly #risk = (message: unknown): void => {
    this.#atRisk.add((message as LockEvents['locks:at-risk']).attempt)
  }

  readonly #loss = (message: unknown): void => {
    const { attempt, reason, held } = message as LockEvents['locks:lost']
    const client = this.#client(attempt.clientId)
    if (!client) return
    const { machine, ttl } = client
    this.#world.tell(() => `${machine.name}: loses ${attempt.names.join(' and ')}: ${reason}`)
    if (!this.#granted.has(attempt))
      this.#world.violated('order of events', `${machine.name}: a lock was lost before it was granted`)
    if (reason !== 'expired' || machine.busy || this.#atRisk.has(attempt)) return
    // Where a beat fell between the two: not if it was granted as late as that, or its process stood still.
    if (held > ttl && this.#world.now - machine.disturbedAt > 2 * ttl) {
      this.#world.violated('at risk', `${machine.name}: a lock was lost without a notice before`)
    }
  }

  readonly #session = (message: unknown): void => {
    const { clientId, state } = message as LockEvents['locks:session']
    const client = this.#client(clientId)
    if (!client) return
    this.#world.tell(() => `${client.machine.name}: session ${state}`)
    if (state === 'ended') client.sessionsEnded++
  }

  #client(id: string): Client | undefined {
    for (const client of this.#clients()) if (client.clientId === id) return client
    return undefined
  }
}
