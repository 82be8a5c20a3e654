import {
  encodeName,
  LockError,
  Subscriptions,
  tokenSpacing,
  unsupported,
  type Claim,
  type Clock,
  type Entry,
  type Grant,
  type Loss,
  type Proof,
  type Request,
  type Session,
  type SessionOptions,
  type Timer,
} from '@locks/core/backend'
import type { Database, Transaction } from './database.ts'
import { Pipeline } from './pipeline.ts'
import { Verbs } from './verbs.ts'
import { Waits } from './waits.ts'
import type { WakeFolder } from './wake.ts'
import { Watch } from './watch.ts'

/** So many at once: a transaction must be short, since nobody else writes meanwhile. */
const mostRenewed = 256
const mostLookedAt = 128
/** Milliseconds for which `close` tries to remove the session's entries; after that they expire. */
const closeWithin = 400
const largest = 2n ** 52n

export interface SessionParts {
  readonly database: Database
  readonly wakeFolder: WakeFolder
  /** The session's number, of which there is no other. */
  readonly session: number
  readonly unwatched: (error: unknown) => void
}

export class SqliteSession implements Session {
  readonly ordered = true
  readonly leases = 'entry'
  readonly ttl: number
  readonly ended: Promise<LockError>
  readonly #clock: Clock
  readonly #database: Database
  readonly #pipeline: Pipeline
  readonly #verbs: Verbs
  readonly #waits: Waits
  readonly #watches: Subscriptions
  #end!: (why: LockError) => void
  #closing: Promise<void> | undefined
  #looking = false
  #lookAtAll = false

  constructor({ database, wakeFolder, session, unwatched }: SessionParts, options: SessionOptions) {
    const { clientId, owner, ttl, namespace, clock, random, events } = options
    this.ttl = ttl
    this.ended = new Promise((resolve) => (this.#end = resolve))
    this.#clock = clock
    this.#database = database
    this.#pipeline = new Pipeline(database, {
      clock,
      random,
      patience: ttl,
      woken: (sessions) => sessions.forEach((each) => wakeFolder.wake(each)),
      broken: (why) => this.#finish(why),
    })
    this.#waits = new Waits(wakeFolder, { clock, session, look: (all) => this.#look(all), unwatched })
    this.#watches = new Subscriptions((stored, tell) => {
      const watch = new Watch(wakeFolder, stored, { clock, session, unwatched }, tell)
      return Promise.resolve(() => watch.close())
    })
    const self = { session, client: clientId, owner: encodeName(owner), ttl }
    this.#verbs = new Verbs(database.table, self, namespace, {
      waits: (claim, ms) => this.#waits.add(claim, ms),
      granted: (grant) => {
        // Before the wake-up file is put away, which takes longer than all else.
        events.granted(grant)
        this.#waits.delete(grant.id)
      },
      stolen: (id) => {
        this.#waits.delete(id)
        events.lost(id, 'stolen')
      },
      answered: (id) => this.#waits.delete(id),
      died: (other) => wakeFolder.discard(other),
      ruled: (name) => wakeFolder.announce(name),
    })
    this.#run('write', (tx) => this.#verbs.sweep(tx)).catch(() => {})
  }

  acquire(request: Request): Promise<Grant | 'queued' | null> {
    return this.#run('write', (tx) => this.#verbs.acquire(tx, request))
  }

  async renew(claims: readonly Claim[]): Promise<ReadonlyMap<string, Grant | Proof | Loss>> {
    const parts: Promise<ReadonlyMap<string, Grant | Proof | Loss>>[] = []
    for (let at = 0; at < claims.length; at += mostRenewed) {
      const part = claims.slice(at, at + mostRenewed)
      parts.push(this.#run('write', (tx) => this.#verbs.renew(tx, part)))
    }
    const outcomes = await Promise.allSettled(parts)
    const answers = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
    if (answers.length === 0) await Promise.all(parts)
    return new Map(answers.flatMap((answer) => [...answer]))
  }

  remove(claim: Claim): Promise<boolean> {
    return this.#run('write', (tx) => this.#verbs.remove(tx, claim))
  }

  async raise(_name: string, token: bigint): Promise<void> {
    if (token >= largest)
      throw unsupported(`SQLite counts tokens up to ${largest}; another node of the quorum has more`)
    await this.#run('write', (tx) => tx.atLeast(Number(token) + tokenSpacing))
  }

  own(): Promise<readonly Claim[]> {
    return this.#run('read', () => this.#verbs.own())
  }

  watch(name: string, changed: () => void): Promise<() => void> {
    return this.#watches.add(this.#verbs.stored(name), changed)
  }

  query(name?: string): Promise<readonly Entry[]> {
    return this.#run('read', ({ now }) => this.#verbs.list(now, name))
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#waits.close()
    let timer: Timer | undefined
    const late = new Promise<void>((resolve) => (timer = this.#clock.after(closeWithin, resolve)))
    const cleared = this.#pipeline.run('write', (tx) => this.#verbs.clear(tx)).catch(() => {})
    await Promise.race([cleared, late])
    timer?.cancel()
    this.#finish(new LockError('UNAVAILABLE', 'the session was closed'))
  }

  /** Lets go of everything local. What is left in the database expires. */
  #finish(why: LockError): void {
    this.#waits.close()
    this.#watches.close()
    this.#pipeline.end(why)
    this.#database.close()
    this.#end(why)
  }

  #run<T>(kind: 'read' | 'write', work: (tx: Transaction) => T): Promise<T> {
    if (this.#closing) return Promise.reject(new LockError('UNAVAILABLE', 'the session was closed'))
    return this.#pipeline.run(kind, work)
  }

  /** At the news for this session; with `all`, at the queues that it waits in too, for those ahead who have died. */
  #look(all: boolean): void {
    this.#lookAtAll ||= all
    if (this.#looking) return
    this.#looking = true
    const names = this.#lookAtAll ? [...this.#waits.names] : []
    this.#lookAtAll = false
    let end = 0
    do {
      const part = names.slice(end, (end += mostLookedAt))
      const last = end >= names.length
      const looked = this.#run('write', (tx) => {
        const ms = this.#verbs.look(tx, part)
        // Not later: a wake-up that comes after the commit tells of something that was not seen.
        tx.after(() => this.#looked(last, ms))
      })
      looked.catch(() => this.#looked(last, Number.POSITIVE_INFINITY))
    } while (end < names.length)
  }

  #looked(last: boolean, ms: number): void {
    this.#waits.expect(ms)
    if (!last) return
    this.#looking = false
    if (this.#lookAtAll) this.#look(true)
  }
}
