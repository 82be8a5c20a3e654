import {
  checkKind,
  Subscriptions,
  type Claim,
  type Entry,
  type Grant,
  type LockError,
  type Loss,
  type Proof,
  type Request,
  type Session,
  type SessionOptions,
} from '@locks/core/backend'
import type { ITxnRequest } from 'etcd3'
import { entriesOf, holds, tokenOf, type Found } from './entries.ts'
import { leaseIsGone, unavailable } from './failures.ts'
import { holderRank, kindOf, whoOf, type Keys } from './keys.ts'
import { Ledger, type Line } from './ledger.ts'
import { Life, type LifeParts } from './life.ts'
import { observe } from './observe.ts'
import { Queues } from './queues.ts'
import type { Members } from './members.ts'
import { isGranted, Verbs, type Admitted } from './verbs.ts'

type Standing = Grant | Proof | Loss
type Queued = Extract<Admitted, { outcome: 'queued' }>

export class EtcdSession implements Session {
  readonly ordered = false
  readonly leases = 'session'
  readonly ttl: number
  readonly ended: Promise<LockError>
  readonly #options: SessionOptions
  readonly #keys: Keys
  readonly #members: Members
  readonly #life: Life
  readonly #ledger: Ledger
  readonly #verbs: Verbs
  readonly #queues: Queues
  readonly #observers: Subscriptions
  /** The calls that are under way, by the claim's id. */
  readonly #asked = new Map<string, Promise<Grant | 'queued' | null>>()

  constructor(parts: LifeParts, options: SessionOptions) {
    const { lease, keys, members } = parts
    const { clock, events } = options
    this.ttl = lease.ttl
    this.#options = options
    this.#keys = keys
    this.#members = members
    this.#ledger = new Ledger(lease.hex)
    this.#verbs = new Verbs(members, keys, lease.id, options)
    this.#life = new Life(parts, options, (who, created) => this.#robbed(who, created))
    this.#queues = new Queues({
      clock,
      keys,
      watches: this.#life.watches,
      view: (name) => this.#verbs.view(name),
      run: (request) => this.#verbs.run(request),
      confirm: (line, request) => this.#verbs.confirm(line, request, clock.now()),
      granted: (line, created) => {
        if (line.state !== 'stolen') events.granted(this.#grant(line, created))
      },
      lost: (line, how) => {
        this.#ledger.delete(line)
        events.lost(line.claim.id, how)
      },
    })
    const { watches } = this.#life
    const run = (request: ITxnRequest) => this.#verbs.run(request)
    this.#observers = new Subscriptions((name, tell) => observe(name, tell, { keys, watches, run }))
    this.ended = this.#life.ended.finally(() => this.#queues.close())
  }

  /** Shows that this user may do what a session does, and begins to listen. */
  begin(): Promise<void> {
    return this.#life.inbox.open(this.#options)
  }

  acquire(request: Request): Promise<Grant | 'queued' | null> {
    const { id } = request
    const before = this.#asked.get(id)
    // It has not left, or is one of those that the others wait for: to ask again would only add to the crowd.
    if (before && this.#members.crowded) return before
    const asked = this.#acquire(request).finally(() => {
      if (this.#asked.get(id) === asked) this.#asked.delete(id)
    })
    this.#asked.set(id, asked)
    return asked
  }

  async #acquire(request: Request): Promise<Grant | 'queued' | null> {
    const line = this.#ledger.asked(request)
    const admitted = await this.#lasting(this.#ledger.calling(line, () => this.#ask(line, request)))
    switch (admitted.outcome) {
      case 'granted':
        return this.#grant(line, admitted.created)
      case 'queued':
        return this.#queued(line, request, admitted)
      case 'refused':
        this.#ledger.delete(line)
        return null
      case 'other kind':
        this.#ledger.delete(line)
        checkKind(line.name, request, admitted.there)
        return null
    }
  }

  async renew(claims: readonly Claim[]): Promise<ReadonlyMap<string, Standing>> {
    const proof = await this.#life.renewed()
    // What it finds is told by events, and the next renewal looks again.
    this.#queues.check().catch(() => {})
    const keys = await this.#life.lease.keys()
    const places = keys.flatMap((key) => this.#keys.place(key) ?? [])
    const listed = new Map(places.map((place) => [place.who, place.rank !== '2']))
    const standings = new Map<string, Standing>()
    const doubtful: Line[] = []
    for (const { id } of claims) {
      const line = this.#ledger.get(id)
      if (!line || line.state === 'stolen') standings.set(id, line ? 'stolen' : 'gone')
      else if (listed.get(line.who) !== (line.state === 'granted')) doubtful.push(line)
      else standings.set(id, this.#standing(line, proof))
    }
    // The list is the leader's own, and may be older than what the session has been told.
    const found = await this.#verbs.find(doubtful)
    if (doubtful.some(({ who }) => !found.has(who))) await this.#life.inbox.read(this.#members.patience)
    for (const line of doubtful) standings.set(line.claim.id, this.#looked(line, found.get(line.who), proof))
    return standings
  }

  async remove(claim: Claim): Promise<boolean> {
    const line = this.#ledger.get(claim.id)
    if (!line) return false
    const held = line.state === 'granted'
    line.state = 'unwanted'
    this.#queues.leave(line)
    const found = await this.#lasting(this.#ledger.calling(line, () => this.#verbs.remove(line, held)))
    this.#ledger.delete(line)
    return found
  }

  async own(): Promise<readonly Claim[]> {
    const keys = await this.#life.lease.keys()
    return keys.flatMap((key) => {
      const place = this.#keys.place(key)
      return (place && this.#ledger.adopted(place)?.claim) ?? []
    })
  }

  watch(name: string, changed: () => void): Promise<() => void> {
    return this.#lasting(this.#observers.add(name, changed))
  }

  async query(name?: string): Promise<readonly Entry[]> {
    const { queue } = await this.#lasting(name === undefined ? this.#verbs.list() : this.#verbs.view(name))
    return entriesOf(queue, name)
  }

  /** The key by which a claim of this session holds its name; of one that is gone, a key that nobody has. */
  holderKey(request: Request): Buffer {
    const [name = ''] = request.names
    const who = this.#ledger.get(request.id)?.who ?? whoOf(this.#life.lease.hex, 0)
    return this.#keys.entry(name, { kind: kindOf(request), rank: holderRank(request), who })
  }

  close(): Promise<void> {
    return this.#life.finish(unavailable('the session was closed'))
  }

  #ask(line: Line, request: Request): Promise<Admitted> {
    const now = this.#options.clock.now()
    if (request.steal) return this.#verbs.steal(line, request, now)
    if (!request.wait) return this.#verbs.tryAdmit(line, request, now)
    return this.#queues.has(line.name) ? this.#verbs.join(line, request, now) : this.#verbs.admit(line, request, now)
  }

  /** It has a place in the queue, and may hold at once beside those ahead of it. */
  async #queued(line: Line, request: Request, admitted: Queued): Promise<Grant | 'queued' | null> {
    // The news of its grant, or of its end, has overtaken the answer.
    if (line.state !== 'asked' && line.state !== 'queued') return 'queued'
    line.state = 'queued'
    line.created = admitted.created
    const view = admitted.view ?? (request.wait ? undefined : await this.#lasting(this.#verbs.view(line.name)))
    if (view && isGranted(line.who, view.queue)) {
      const confirmed = await this.#lasting(this.#verbs.confirm(line, request, this.#options.clock.now()))
      if (confirmed.outcome === 'granted') return this.#grant(line, confirmed.created)
      if (confirmed.outcome === 'gone') throw unavailable('the entry was removed before it was granted')
    }
    if (!request.wait) {
      await this.remove(line.claim)
      return null
    }
    await this.#queues.join(line, request, view)
    return 'queued'
  }

  /** A grant counts from the session's last proof: the lease does not begin anew with what is put under it. */
  #grant(line: Line, created: bigint): Grant {
    if (created <= line.robbed) line.state = 'stolen'
    if (line.state === 'stolen') throw unavailable('the lock was stolen before the answer that it was granted')
    line.state = 'granted'
    line.created = created
    return grantOf(line, this.#life.proof)
  }

  #standing(line: Line, proof: Proof): Standing {
    return line.state === 'granted' ? grantOf(line, proof) : proof
  }

  /** What the store has of an entry, when that was not what was known of it. */
  #looked(line: Line, found: Found | undefined, proof: Proof): Standing {
    if (line.state === 'stolen') return 'stolen'
    if (!found) {
      // A waiter's is claimed anew under another id; a lock that is lost is yet to be removed.
      if (line.state === 'queued') this.#forget(line)
      return 'gone'
    }
    if (!holds(found)) return proof
    this.#queues.leave(line)
    line.state = 'granted'
    line.created = found.created
    return grantOf(line, proof)
  }

  #forget(line: Line): void {
    this.#queues.leave(line)
    this.#ledger.delete(line)
  }

  /** The news may be of an entry that has been replaced since. */
  #robbed(who: string, created: bigint): void {
    const line = this.#ledger.by(who)
    if (!line) return
    if (created > line.robbed) line.robbed = created
    if (line.created === undefined || line.created > created) return
    line.state = 'stolen'
    this.#options.events.lost(line.claim.id, 'stolen')
  }

  /** A call's answer. One that shows that the lease has ended is followed up at once. */
  async #lasting<T>(answer: Promise<T>): Promise<T> {
    try {
      return await answer
    } catch (error) {
      if (leaseIsGone(error)) this.#life.renewed().catch(() => {})
      throw error
    }
  }
}

function grantOf({ claim, created }: Line, proof: Proof): Grant {
  return { id: claim.id, tokens: [tokenOf(created ?? 0n)], proof }
}
