import { checkKind, granted, LockError, tokenSpacing } from '@locks/core/backend'
import type { Ask, Listed, News, Standing, Verbs } from './protocol.ts'

/** Somebody at the other end of a connection. */
export interface Client {
  tell(news: News): void
}

interface Entry {
  readonly ask: Ask
  readonly client: Client
  sent: Ask['sent']
  /** On this process's own monotonic clock. */
  expires: number
  since: number
  token?: bigint
}

const spacing = BigInt(tokenSpacing)

/** The queues of all keys, in the memory of one process: what is done in one turn of its event loop is one step. */
export class Store {
  readonly #queues = new Map<string, Entry[]>()
  readonly #entries = new Map<string, Entry>()
  readonly #grants: number
  /** Above those of the process before it, unless the machine's clock was set back meanwhile. */
  #lastToken = BigInt(Date.now()) * 1_000n

  /** Grants nothing for `grace` ms: another process may have granted locks here that this one knows nothing of. */
  constructor(grace: number) {
    this.#grants = performance.now() + grace
  }

  verbs(client: Client): Verbs {
    return {
      acquire: (ask) => this.#acquire(ask, client),
      renew: ({ ids, sent }) => this.#renew(ids, sent),
      remove: (id) => this.#remove([this.#entries.get(id)]),
      query: (what) => this.#query(what),
      leave: () => void this.#remove([...this.#entries.values()].filter((entry) => entry.client === client)),
      evict: (key) => void this.#remove((this.#queues.get(key) ?? []).filter(({ token }) => token)),
    }
  }

  /** Grants whoever waits for what has expired. */
  sweep(): void {
    for (const key of this.#queues.keys()) this.#settle(key)
  }

  #acquire(ask: Ask, client: Client): Standing | null {
    // Asked again, because an answer was lost: it finds itself, and changes nothing.
    const known = this.#entries.get(ask.id)
    if (known) return standing(known)
    const now = performance.now()
    if (now < this.#grants) throw new LockError('UNAVAILABLE', 'the server has only just started; it grants soon')
    this.#settle(ask.key)
    const queue = this.#queues.get(ask.key) ?? []
    checkKind(ask.key.slice(ask.key.indexOf('/') + 1), ask, queue[0]?.ask)
    const entry: Entry = { ask, client, sent: ask.sent, expires: now + ask.ttl, since: Date.now() }
    const holds = granted([...queue.map((each) => each.ask), ask]).includes(ask)
    if (!holds && !ask.wait) return null
    if (holds) this.#mint(entry)
    this.#queues.set(ask.key, [...queue, entry])
    this.#entries.set(ask.id, entry)
    return standing(entry)
  }

  #renew(ids: readonly string[], sent: Ask['sent']): Standing[] {
    const now = performance.now()
    // An entry that has expired stays gone, though nobody has looked at it since.
    const alive = ids.flatMap((id) => this.#entries.get(id) ?? []).filter(({ expires }) => expires > now)
    for (const entry of alive) Object.assign(entry, { sent, expires: now + entry.ask.ttl })
    for (const key of new Set(alive.map(({ ask }) => ask.key))) this.#settle(key)
    return alive.map(standing)
  }

  #remove(entries: readonly (Entry | undefined)[]): boolean {
    const gone = entries.filter((entry) => entry !== undefined)
    for (const { ask } of gone) this.#entries.delete(ask.id)
    for (const key of new Set(gone.map(({ ask }) => ask.key))) this.#settle(key)
    return gone.length > 0
  }

  #query({ key, prefix }: Parameters<Verbs['query']>[0]): Listed[] {
    const keys = key === undefined ? [...this.#queues.keys()].filter((each) => each.startsWith(prefix)) : [key]
    for (const each of keys) this.#settle(each)
    return keys.flatMap((each) => this.#queues.get(each) ?? []).map(listed)
  }

  /** Drops what is gone or has expired, and grants whoever can be granted then. Dead waiters are in nobody's way. */
  #settle(key: string): void {
    const now = performance.now()
    const queue = (this.#queues.get(key) ?? []).filter(
      (entry) =>
        this.#entries.get(entry.ask.id) === entry && (entry.expires > now || !this.#entries.delete(entry.ask.id)),
    )
    if (queue.length > 0) this.#queues.set(key, queue)
    else this.#queues.delete(key)
    const holders = new Set(granted(queue.map(({ ask }) => ask)))
    for (const entry of queue) {
      if (entry.token !== undefined || !holders.has(entry.ask)) continue
      this.#mint(entry)
      entry.client.tell({ granted: standing(entry) })
    }
  }

  #mint(entry: Entry): void {
    entry.token = this.#lastToken += spacing
    entry.since = Date.now()
  }
}

function standing({ ask, sent, token }: Entry): Standing {
  return { id: ask.id, sent, ttl: ask.ttl, token: token?.toString() }
}

function listed({ ask, token, since }: Entry): Listed {
  const { key, mode, permits, weight, clientId, owner } = ask
  return { key, mode, permits, weight, clientId, owner, holds: token !== undefined, token: token?.toString(), since }
}
