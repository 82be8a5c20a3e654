import type { LockManager } from '@locks/core'
import type { Commission, Order, Report } from '../protocol.ts'
import { Client } from '../work/client.ts'
import type { Member } from './member.ts'

/** A client in this process, of a store that is in this process as well. */
export class LocalMember implements Member {
  readonly client: string
  readonly place: number
  readonly alive = true
  readonly ended = new Promise<void>(() => {})
  readonly #client: Client

  constructor(
    client: string,
    place: number,
    open: (commission: Commission) => Promise<LockManager>,
    hear: (report: Report) => void,
  ) {
    this.client = client
    this.place = place
    this.#client = new Client({ open, report: hear, left: () => Promise.resolve([]) })
  }

  send(order: Order): void {
    this.#client.hear(order)
  }
}
