import type { Order } from '../protocol.ts'

/** A client of the store, in a process of its own or in this one. */
export interface Member {
  readonly client: string
  /** Its place in the crew, which its successor takes. */
  readonly place: number
  readonly alive: boolean
  send(order: Order): void
  /** Absent where it has no process of its own. */
  readonly process?: ProcessMember
  /** Resolves with its end. */
  readonly ended: Promise<void>
}

export interface ProcessMember {
  stop(): void
  continue(): void
  kill(): void
}

/** What a client is to be. */
export interface Post {
  readonly role: 'worker' | 'prober'
  readonly place: number
}
