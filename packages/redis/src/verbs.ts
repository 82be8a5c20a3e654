import { encodeName, type Claim, type Contender, type Entry, type Instant, type Request } from '@locks/core/backend'
import type { Batch } from './batches.ts'
import { entriesOf } from './entries.ts'
import { failureOf } from './failures.ts'
import type { Keys } from './keys.ts'
import { newsOf, stampOf, type News } from './news.ts'
import { Outbox, Rejection, type Together } from './outbox.ts'
import type { Scripts } from './scripts.ts'
import type { Answer, Server } from './server.ts'

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

export interface Removed {
  readonly found: boolean
  readonly news: readonly News[]
}

/** A lock that is asked for in the plainest way. */
interface Plain {
  readonly key: string
  readonly id: string
  readonly how: string
  readonly sent: Instant
}

/** Replies are checked no further: both sides are in this package. */
type AcquireReply = string | readonly [code: number, about: number | string, news?: string]
type RenewReply = readonly [numbers: readonly number[], lefts: readonly number[], news: string]
type RemoveReply = readonly [found: readonly (number | string)[], news: string]
type QueryReply = readonly [now: number, fields: readonly string[]]

/** What a session asks of its names: a script each, and what its reply means. */
export class Verbs {
  readonly #server: Server
  readonly #keys: Keys
  readonly #clientId: string
  readonly #label: string
  readonly #scripts: Scripts
  readonly #outbox = new Outbox()

  constructor(server: Server, keys: Keys, { clientId, owner }: Owner) {
    this.#server = server
    this.#keys = keys
    this.#clientId = clientId
    this.#label = encodeName(owner)
    this.#scripts = server.scripts
  }

  acquire(request: Request, sent: Instant): Promise<Acquired> {
    const { id, names, mode, permits, weight = 1, wait, steal, value } = request
    const name = names[0] ?? ''
    const key = this.#keys.key(name)
    const how = `${mode[0]}${wait ? 1 : 0}${steal ? 1 : 0}`
    const raw = this.#keys.rawName(name)
    const plain = raw === '' && permits === undefined && value === undefined
    const args: (string | number)[] = [this.#clientId, stampOf(sent), id, this.#label, how]
    if (!plain) args.push(raw, weight, permits ?? 0)
    if (value !== undefined) args.push(value)
    const call = () => {
      return this.#server
        .run(this.#scripts.acquire, [key], args)
        .then(({ reply, safe }) => acquiredOf(reply as AcquireReply, safe, []))
    }
    const joins = plain && mode === 'exclusive' && this.#server.oneSlot && !this.#server.acknowledges
    return joins
      ? this.#outbox.together(this.#acquireSeveral, key, { key, id, how, sent }, call)
      : this.#outbox.alone(call)
  }

  readonly #acquireSeveral: Together<Plain, Acquired> = async (asks) => {
    // The earliest moment of all makes no lease longer.
    const [{ sent }] = asks as readonly [Plain, ...Plain[]]
    const args = [this.#clientId, stampOf(sent), '', this.#label, ...asks.flatMap(({ id, how }) => [id, how])]
    const keys = asks.map(({ key }) => key)
    const { reply, safe } = await this.#server.run(this.#scripts.acquireSeveral, keys, args)
    const answers = reply as readonly AcquireReply[]
    const told = newsOf(answers[asks.length])
    return asks.map((_, at) => {
      const answer = answers[at] as AcquireReply
      if (typeof answer !== 'string' && Number(answer[0]) === -3) return refusalOf(answer[1])
      // All that the call means for this client comes with the first of its answers.
      return acquiredOf(answer, safe, told.splice(0))
    })
  }

  async renew(batch: Batch, sent: Instant): Promise<Renewed> {
    const args = [this.#clientId, stampOf(sent), ...batch.args]
    const { reply, safe } = await this.#run(this.#scripts.renew, batch.keys, args)
    const [numbers, lefts, told] = reply as RenewReply
    return { standings: numbers.map(standingOf), lefts: lefts.map(Number), safe, news: newsOf(told) }
  }

  remove({ id, names: [name = ''] }: Claim): Promise<Removed> {
    const key = this.#keys.key(name)
    const call = () => {
      return this.#server
        .run(this.#scripts.remove, [key], [this.#clientId, 1, id], 0)
        .then(({ reply }) => removedOf(reply)[0] as Removed)
    }
    return this.#server.oneSlot
      ? this.#outbox.together(this.#removeSeveral, key, { key, id }, call)
      : this.#outbox.alone(call)
  }

  readonly #removeSeveral: Together<Pick<Plain, 'key' | 'id'>, Removed> = async (asks) => {
    const args = [this.#clientId, ...asks.flatMap(({ id }) => [1, id])]
    const keys = asks.map(({ key }) => key)
    const { reply } = await this.#server.run(this.#scripts.remove, keys, args, 0)
    return Array.isArray(reply) ? removedOf(reply) : asks.map(() => wasThere)
  }

  /** Removes what there is of all of these; what else it means for this client. */
  async removeAll(batch: Batch): Promise<readonly News[]> {
    const { reply } = await this.#run(this.#scripts.remove, batch.keys, [this.#clientId, ...batch.args], 0)
    return Array.isArray(reply) ? newsOf((reply as unknown as RemoveReply)[1]) : []
  }

  /** Whether as many replicas as are wanted know it. */
  async raise(name: string, token: bigint): Promise<boolean> {
    const { safe } = await this.#run(this.#scripts.raise, [this.#keys.key(name)], [String(token)])
    return safe
  }

  async query(key: string, name: string | undefined): Promise<Entry[]> {
    const { reply } = await this.#run(this.#scripts.query, [key], [], 0)
    const [now, fields] = reply as QueryReply
    return entriesOf(Number(now), fields, name ?? this.#keys.name(key))
  }

  /** The keys of all names. */
  keys(): Promise<readonly string[]> {
    return this.#outbox.alone(() => this.#server.scan(this.#keys.pattern))
  }

  #run(...call: Parameters<Server['run']>): Promise<Answer> {
    return this.#outbox.alone(() => this.#server.run(...call))
  }
}

function acquiredOf(reply: AcquireReply, safe: boolean, told: readonly News[]): Acquired {
  if (!Array.isArray(reply)) return { outcome: 'granted', token: BigInt(reply as string), safe, news: told }
  const [code, about, own] = reply as Exclude<AcquireReply, string>
  const news = [...told, ...newsOf(own)]
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

const wasThere: Removed = { found: true, news: [] }

function removedOf(reply: unknown): (Removed | Rejection)[] {
  if (!Array.isArray(reply)) return [wasThere]
  const [found, told] = reply as unknown as RemoveReply
  const news = newsOf(told)
  return found.map((each) => {
    if (Number.isNaN(Number(each))) return refusalOf(each)
    return { found: Number(each) === 1, news: news.splice(0) }
  })
}

/** What the server has said about one key of several. */
const refusalOf = (about: unknown): Rejection => new Rejection(failureOf({ name: 'ReplyError', message: about }))

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
