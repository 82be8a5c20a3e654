import { encodeName, type Contender, type Entry, type Instant, type Request } from '@locks/core/backend'
import type { Batch } from './batches.ts'
import { entriesOf } from './entries.ts'
import type { Keys } from './keys.ts'
import { newsOf, stampOf, type News } from './news.ts'
import type { Scripts } from './scripts.ts'
import type { Server } from './server.ts'

/** Whose entries are made. */
export interface Owner {
  readonly clientId: string
  readonly owner: string
}

/** `safe`: as many replicas as are wanted have it. `news`: what else the call has brought about for the caller. */
export type Acquired = { readonly news: readonly News[] } & (
  | { readonly outcome: 'granted'; readonly token: bigint; readonly safe: boolean }
  | { readonly outcome: 'queued'; readonly left: number }
  | { readonly outcome: 'refused' }
  | { readonly outcome: 'other kind'; readonly there: Contender }
)

export interface Renewed {
  /** In the order of the ids: a holder's token, or what it is instead. */
  readonly standings: readonly (bigint | 'waits' | 'gone' | 'stolen')[]
  /** In the order of the names: milliseconds until somebody may have expired; below 0 if nobody waits. */
  readonly lefts: readonly number[]
  readonly safe: boolean
  readonly news: readonly News[]
}

/** Replies are checked no further: both sides are in this package. */
type AcquireReply = readonly [code: number, about: number | string, news: string]
type RenewReply = readonly [numbers: readonly number[], lefts: readonly number[], news: string]
type RemoveReply = readonly [found: readonly number[], news: string]
type QueryReply = readonly [now: number, fields: readonly string[]]

/** What a session asks of its names: a script each, and what its reply means. */
export class Verbs {
  readonly #server: Server
  readonly #keys: Keys
  readonly #clientId: string
  readonly #label: string
  readonly #scripts: Scripts

  constructor(server: Server, keys: Keys, { clientId, owner }: Owner) {
    this.#server = server
    this.#keys = keys
    this.#clientId = clientId
    this.#label = encodeName(owner)
    this.#scripts = server.scripts
  }

  async acquire(request: Request, sent: Instant): Promise<Acquired> {
    const { id, names, mode, permits, weight = 1, wait, steal, value } = request
    const name = names[0] ?? ''
    const how = `${mode[0]}${wait ? 1 : 0}${steal ? 1 : 0}`
    const args: (string | number)[] = [this.#clientId, stampOf(sent), id, this.#label, how]
    const raw = this.#keys.rawName(name)
    if (raw !== '' || permits !== undefined || value !== undefined) args.push(raw, weight, permits ?? 0)
    if (value !== undefined) args.push(value)
    const { reply, safe } = await this.#server.run(this.#scripts.acquire, [this.#keys.key(name)], args)
    if (!Array.isArray(reply)) return { outcome: 'granted', token: BigInt(reply as string), safe, news: [] }
    const [code, about, told] = reply as unknown as AcquireReply
    const news = newsOf(told)
    switch (Number(code)) {
      case 1:
        return { outcome: 'granted', token: BigInt(about), safe, news }
      case 0:
        return { outcome: 'queued', left: Number(about), news }
      case -1:
        return { outcome: 'refused', news }
      default:
        return { outcome: 'other kind', there: contenderOf(Number(about)), news }
    }
  }

  async renew(batch: Batch, sent: Instant): Promise<Renewed> {
    const args = [this.#clientId, stampOf(sent), ...batch.args]
    const { reply, safe } = await this.#server.run(this.#scripts.renew, batch.keys, args)
    const [numbers, lefts, told] = reply as RenewReply
    return { standings: numbers.map(standingOf), lefts: lefts.map(Number), safe, news: newsOf(told) }
  }

  /** Whether each of the ids was there. */
  async remove(batch: Batch): Promise<{ readonly found: readonly boolean[]; readonly news: readonly News[] }> {
    const args = [this.#clientId, ...batch.args]
    const { reply } = await this.#server.run(this.#scripts.remove, batch.keys, args, 0)
    if (!Array.isArray(reply)) return { found: [true], news: [] }
    const [found, told] = reply as unknown as RemoveReply
    return { found: found.map((each) => Number(each) === 1), news: newsOf(told) }
  }

  /** Whether as many replicas as are wanted know it. */
  async raise(name: string, token: bigint): Promise<boolean> {
    const { safe } = await this.#server.run(this.#scripts.raise, [this.#keys.key(name)], [String(token)])
    return safe
  }

  async query(key: string, name: string | undefined): Promise<Entry[]> {
    const { reply } = await this.#server.run(this.#scripts.query, [key], [], 0)
    const [now, fields] = reply as QueryReply
    return entriesOf(Number(now), fields, name ?? this.#keys.name(key))
  }
}

const contenderOf = (limit: number): Contender =>
  limit === 0 ? { mode: 'exclusive' } : { mode: 'permit', permits: limit }

function standingOf(number: number | string): Renewed['standings'][number] {
  switch (Number(number)) {
    case 0:
      return 'waits'
    case -1:
      return 'gone'
    case -2:
      return 'stolen'
    default:
      return BigInt(number)
  }
}
