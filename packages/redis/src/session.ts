import {
  checkKind,
  type LockError,
  settledWithin,
  Subscriptions,
  tokenSpacing,
  unsupported,
  type Claim,
  type Entry,
  type Grant,
  type Instant,
  type Loss,
  type Proof,
  type Request,
  type Session,
  type SessionOptions,
  type Timer,
} from '@locks/core/backend'
import { batches, parts, type Batch } from './batches.ts'
import { failureOf, unavailable, unknown } from './failures.ts'
import type { Keys } from './keys.ts'
import { Ledger } from './ledger.ts'
import type { Listener, ListenerOptions } from './listener.ts'
import { newsOf, type Granted, type News } from './news.ts'
import type { Server } from './server.ts'
import { Verbs } from './verbs.ts'
import { Waits } from './waits.ts'

/** So many calls leave together, for the sake of everything else that the process does. */
const mostAtOnce = 500
/** Milliseconds for which `close` tries to remove the session's entries; after that they expire. */
const closeWithin = 400
/** The largest token of which a script can make the next one. */
const largest = BigInt(Number.MAX_SAFE_INTEGER - tokenSpacing)

export interface SessionParts {
  readonly server: Server
  readonly keys: Keys
  /** Makes the connection that hears the news. */
  readonly listen: (events: Pick<ListenerOptions, 'heard' | 'told' | 'restored'>) => Listener
  /** Lets go of the session's own connections. */
  readonly disconnect: () => void
}

type Standing = Grant | Proof | Loss

export class RedisSession implements Session {
  readonly ordered = true
  readonly leases = 'entry'
  readonly ttl: number
  readonly ended: Promise<LockError>
  readonly #options: SessionOptions
  readonly #server: Server
  readonly #keys: Keys
  readonly #verbs: Verbs
  readonly #listener: Listener
  readonly #disconnect: () => void
  readonly #ledger = new Ledger()
  readonly #waits: Waits
  readonly #watches: Subscriptions
  #end!: (why: LockError) => void
  #closing: Promise<void> | undefined
  #over = false
  #pause: Timer | undefined

  constructor({ server, keys, listen, disconnect }: SessionParts, options: SessionOptions) {
    const { clientId, owner, clock, ttl } = options
    this.ttl = ttl
    this.ended = new Promise((resolve) => (this.#end = resolve))
    this.#options = options
    this.#server = server
    this.#keys = keys
    this.#verbs = new Verbs(server, keys, { clientId, owner })
    this.#disconnect = disconnect
    this.#waits = new Waits({
      clock,
      pace: Math.min(1_000, ttl / 10),
      waiting: () => this.#ledger.waiting,
      look: (claims) => this.#look(claims),
    })
    this.#listener = listen({
      heard: (message) => this.#hear(newsOf(message)),
      told: (channel) => this.#watches.tell(channel),
      restored: () => {
        this.#look(this.#ledger.waiting)
        this.#watches.tellAll()
      },
    })
    this.#watches = new Subscriptions((channel) => this.#listener.subscribe(channel))
    // By then none of its entries can be alive, and a new session looks at the server anew.
    void server.lost.then((why) => this.#finish(why))
  }

  /** Settles when the session hears what it is told. */
  listen(): Promise<void> {
    return this.#listener.open()
  }

  async acquire(request: Request): Promise<Grant | 'queued' | null> {
    const { id, names } = request
    const name = names[0] ?? ''
    const sent = this.#options.clock.now()
    this.#ledger.asked(request, sent.mono)
    const answer = await this.#verbs.acquire(request, sent)
    this.#hear(answer.news)
    switch (answer.outcome) {
      case 'granted':
        // The news may have been faster. Of what nobody wants any more, core takes care.
        if (this.#ledger.wasStolen(id)) throw unavailable('the lock was stolen before the answer that it was granted')
        if (answer.safe || !this.#ledger.ungranted(id)) return this.#grant(id, answer.token, this.#proof(sent))
        await this.remove(request)
        throw unavailable('too few replicas confirmed the lock in time; it was given back')
      case 'queued':
        if (this.#ledger.queued(request, sent.mono)) this.#waits.expect(name, answer.left)
        return 'queued'
      case 'refused':
        this.#ledger.delete(id)
        return null
      case 'other kind':
        this.#ledger.delete(id)
        checkKind(name, request, answer.there)
        return null
    }
  }

  async renew(claims: readonly Claim[]): Promise<ReadonlyMap<string, Standing>> {
    const { clock } = this.#options
    const sent = clock.now()
    this.#ledger.renewed(claims, sent.mono, this.ttl)
    const standings = new Map<string, Standing>()
    const asked: Promise<void>[] = []
    let failure: unknown
    for (const part of parts(this.#batches(claims), mostAtOnce)) {
      const renewals = part.map((batch) => apart(batch, (each) => this.#renew(each, sent)))
      const answers = renewals.map((renewal) =>
        renewal.then(
          (found) => {
            for (const each of found) {
              for (const [id, standing] of each) standings.set(id, standing)
              // A server of a cluster that is down must not keep back what the others say.
              if (!this.#server.oneSlot) this.#tell(each)
            }
          },
          (error: unknown) => void (failure = error),
        ),
      )
      asked.push(...answers)
      await settledWithin(clock, Promise.all(answers), this.ttl / 100)
    }
    await Promise.all(asked)
    if (failure !== undefined && standings.size === 0) throw failureOf(failure)
    return standings
  }

  async remove(claim: Claim): Promise<boolean> {
    const { reconnects } = this.#server
    const { found, news } = await this.#verbs.remove(claim)
    this.#ledger.delete(claim.id)
    this.#hear(news)
    // A driver that sends again by itself may have found the work of its own first attempt.
    if (!found && this.#server.reconnects !== reconnects) throw unknown('the connection failed during a removal')
    return found
  }

  /** Nothing that would not expire by itself. */
  own(): Promise<readonly Claim[]> {
    return Promise.resolve([])
  }

  async raise(name: string, token: bigint): Promise<void> {
    if (token > largest) throw unsupported(`Redis counts tokens up to ${largest}; another node of the quorum has more`)
    const safe = await this.#verbs.raise(name, token)
    if (!safe) throw unavailable('too few replicas confirmed the token in time')
  }

  watch(name: string, changed: () => void): Promise<() => void> {
    return this.#watches.add(this.#keys.channel(name), changed)
  }

  async query(name?: string): Promise<readonly Entry[]> {
    const keys = name === undefined ? await this.#verbs.keys() : [this.#keys.key(name)]
    const entries: Entry[] = []
    for (const part of parts(keys, mostAtOnce)) {
      const found = await Promise.all(part.map((key) => this.#verbs.query(key, name)))
      entries.push(...found.flat())
    }
    return entries
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#waits.close()
    await settledWithin(this.#options.clock, this.#clear(), closeWithin)
    this.#finish(unavailable('the session was closed'))
  }

  /** Removes all that the session may have, also if the connection is only on its way back. */
  async #clear(): Promise<void> {
    for (;;) {
      const removals = this.#batches(this.#ledger.all).map((batch) => apart(batch, (each) => this.#removeAll(each)))
      const outcomes = await Promise.allSettled(removals)
      if (this.#over || outcomes.every(({ status }) => status === 'fulfilled')) return
      await new Promise<void>((resolve) => (this.#pause = this.#options.clock.after(20, resolve)))
    }
  }

  /** Lets go of everything local. What is left at the store expires. */
  #finish(why: LockError): void {
    if (this.#over) return
    this.#over = true
    this.#pause?.cancel()
    this.#waits.close()
    this.#watches.close()
    this.#listener.close()
    this.#server.end()
    this.#disconnect()
    this.#end(why)
  }

  async #renew(batch: Batch, sent: Instant): Promise<ReadonlyMap<string, Standing>> {
    const answer = await this.#verbs.renew(batch, sent)
    const granted = this.#grantedIn(batch, answer.news)
    // One for all of them: there may be thousands.
    const proof = this.#proof(sent)
    const standings = new Map<string, Standing>()
    for (const [at, id] of batch.ids.entries()) {
      const since = granted?.get(id)
      const number = since?.token ?? answer.standings[at] ?? 'gone'
      const holds = typeof number === 'bigint'
      const standing =
        holds && !answer.safe
          ? await this.#unsafe(id)
          : this.#standing(id, number, since ? this.#proof(since.sent) : proof)
      if (standing) standings.set(id, standing)
    }
    batch.names.forEach((name, at) => {
      const left = answer.lefts[at] ?? 0
      if (left >= 0) this.#waits.expect(name, left)
    })
    return standings
  }

  /** What of a batch its own call has granted, after its standing was taken; the rest of the news is told. */
  #grantedIn(batch: Batch, news: readonly News[]): Map<string, Granted> | undefined {
    if (news.length === 0) return undefined
    const ids = new Set(batch.ids)
    const granted = new Map<string, Granted>()
    for (const each of news) {
      if (each.granted && ids.has(each.id)) granted.set(each.id, each)
      else this.#hear([each])
    }
    return granted
  }

  #standing(id: string, number: bigint | Loss | 'waits', proof: Proof): Standing {
    if (typeof number === 'bigint') return this.#grant(id, number, proof)
    if (number === 'waits') return proof
    this.#ledger.delete(id)
    return number
  }

  /** A holder that too few replicas know: nothing new if core knows it, else it is given back. */
  async #unsafe(id: string): Promise<Loss | undefined> {
    const claim = this.#ledger.ungranted(id)
    if (!claim) return undefined
    await this.remove(claim)
    return 'gone'
  }

  async #removeAll(batch: Batch): Promise<void> {
    const news = await this.#verbs.removeAll(batch)
    for (const id of batch.ids) this.#ledger.delete(id)
    this.#hear(news)
  }

  /** Asks for those who wait, and tells what is found. */
  #look(claims: readonly Claim[]): void {
    this.renew(claims).then(
      (standings) => this.#tell(standings),
      // The connection may be on its way back.
      () => claims.forEach(({ names }) => this.#waits.expect(names[0] ?? '', 0)),
    )
  }

  #tell(standings: ReadonlyMap<string, Standing>): void {
    for (const [id, standing] of standings) {
      if (typeof standing === 'string') this.#options.events.lost(id, standing)
      else if ('tokens' in standing) this.#options.events.granted(standing)
    }
  }

  #hear(news: readonly News[]): void {
    for (const each of news) {
      const claim = this.#ledger.ungranted(each.id)
      if (!each.granted) {
        this.#ledger.stolen(each.id)
        this.#options.events.lost(each.id, 'stolen')
      } else if (claim && this.#server.acknowledges) {
        // Another client's connection wrote it: one's own has to write something that the replicas can confirm.
        this.#look([claim])
      } else {
        this.#options.events.granted(this.#grant(each.id, each.token, this.#proof(each.sent)))
      }
    }
  }

  #grant(id: string, token: bigint, proof: Proof): Grant {
    this.#ledger.granted(id)
    return { id, tokens: [token], proof }
  }

  #proof(sent: Instant): Proof {
    return { sent, ttl: this.ttl }
  }

  #batches(claims: readonly Claim[]): Batch[] {
    return batches(claims, this.#keys, this.#server.oneSlot)
  }
}

/** A key that somebody has spoiled fails the whole script: the others of its batch are then asked for one by one. */
async function apart<T>(batch: Batch, call: (batch: Batch) => Promise<T>): Promise<T[]> {
  try {
    return [await call(batch)]
  } catch (error) {
    if (batch.names.length === 1 || failureOf(error).temporary) throw error
    const outcomes = await Promise.allSettled(batch.split().map(call))
    return outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
  }
}
