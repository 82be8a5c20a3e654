import type { Clock } from '@locks/core/backend'
import type { Etcd3 } from 'etcd3'
import { failureOf, tokenIsOld, unavailable } from './failures.ts'
import { Gate } from './gate.ts'

export type CallOptions = { readonly deadline: number }
type Ask<T> = (client: Etcd3, options: CallOptions) => Promise<T>

/** So many calls at once are as fast as more. */
const mostAtOnce = 64

export interface MembersOptions {
  readonly clock: Clock
  readonly members: readonly string[]
  /** A new client of a member, with a connection of its own. */
  readonly connect: (member: string) => Etcd3
  /** Milliseconds that any call may take. */
  readonly patience: number
}

/**
 * The members of the cluster, of which one is spoken to until it fails: a call that fails is not made again here, but the
 * next one goes to another member. A member that has stopped answering altogether gets a new connection.
 */
export class Members {
  readonly patience: number
  readonly #options: MembersOptions
  readonly #clients = new Map<string, Etcd3>()
  readonly #gate = new Gate(mostAtOnce)
  #at = 0
  /** When the last call was made that has been answered, `mono`. */
  #answered = Number.NEGATIVE_INFINITY
  #closed = false

  constructor(options: MembersOptions) {
    this.#options = options
    this.patience = options.patience
  }

  get count(): number {
    return this.#options.members.length
  }

  /** Whether calls have to wait for others of this session. */
  get crowded(): boolean {
    return this.#gate.crowded
  }

  /** Makes a call when it is its turn; `first`: before all that only ask for something. */
  call<T>(ask: Ask<T>, first = false): Promise<T> {
    return this.#gate.pass(() => this.callNow(ask, this.patience), first)
  }

  /** Makes a call ahead of those that wait; `within` milliseconds, or it fails. The failures may be shown. */
  async callNow<T>(ask: Ask<T>, within: number): Promise<T> {
    const { clock, members } = this.#options
    const member = members[this.#at] ?? ''
    const client = this.client(member)
    const since = clock.now().mono
    try {
      const answer = await ask(client, { deadline: Date.now() + within })
      this.#answered = Math.max(this.#answered, since)
      return answer
    } catch (thrown) {
      const failure = failureOf(thrown)
      if (tokenIsOld(thrown) || (failure.code === 'OUTCOME_UNKNOWN' && this.#answered < since))
        this.#forget(member, client)
      if (failure.temporary) this.#leave(member)
      throw failure
    }
  }

  /** The client of the member that is spoken to; for streams. */
  get current(): Etcd3 {
    return this.client(this.#options.members[this.#at] ?? '')
  }

  client(member: string): Etcd3 {
    if (this.#closed) throw unavailable('the session is over')
    const known = this.#clients.get(member)
    if (known) return known
    const client = this.#options.connect(member)
    this.#clients.set(member, client)
    return client
  }

  /** Whatever is asked next is asked of another member, on another connection. */
  next(): void {
    const member = this.#options.members[this.#at] ?? ''
    const client = this.#clients.get(member)
    if (client) this.#forget(member, client)
    this.#leave(member)
  }

  close(): void {
    this.#closed = true
    for (const client of this.#clients.values()) client.close()
    this.#clients.clear()
  }

  #leave(member: string): void {
    const { members } = this.#options
    if (members[this.#at] === member) this.#at = (this.#at + 1) % members.length
  }

  #forget(member: string, client: Etcd3): void {
    if (this.#clients.get(member) !== client) return
    this.#clients.delete(member)
    client.close()
  }
}
