import type { RedisClient } from './options.ts'

const counts = new WeakMap<RedisClient, { count: number; users: number; readonly note: () => void }>()

/** Of a client, and of a cluster for each of its servers. */
const endings = ['close', '-node'] as const

/**
 * How often a client has lost a connection. A driver may send again by itself what it has sent before; whoever has seen
 * no loss between a call and its answer knows that it was sent once.
 */
export class Reconnects {
  readonly #client: RedisClient

  constructor(client: RedisClient) {
    this.#client = client
    const known = counts.get(client)
    if (known) {
      known.users++
      return
    }
    const fresh = { count: 0, users: 1, note: () => void fresh.count++ }
    counts.set(client, fresh)
    for (const ending of endings) client.on(ending, fresh.note)
  }

  get count(): number {
    return counts.get(this.#client)?.count ?? 0
  }

  /** Sessions share a client's listeners; the last takes them away. */
  end(): void {
    const known = counts.get(this.#client)
    if (!known || --known.users > 0) return
    for (const ending of endings) this.#client.off(ending, known.note)
    counts.delete(this.#client)
  }
}
