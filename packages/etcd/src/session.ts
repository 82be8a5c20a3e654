import {
  checkKind,
  Heartbeat,
  settledWithin,
  type Claim,
  type Entry,
  type Grant,
  type Instant,
  type LockError,
  type Loss,
  type Proof,
  type Request,
  type Session,
  type SessionOptions,
} from '@locks/core/backend'
import { entriesOf, holds, tokenOf, type Found } from './entries.ts'
import { leaseIsGone, unavailable } from './failures.ts'
import { Inbox } from './inbox.ts'
import type { Keys } from './keys.ts'
import type { Lease } from './lease.ts'
import { Ledger, type Line } from './ledger.ts'
import { Queues } from './queues.ts'
import type { Members } from './members.ts'
import { isGranted, Verbs, type Admitted } from './verbs.ts'
import { Watches } from './watches.ts'

/** Milliseconds for which `close` tries to end the lease; after that it expires. */
const closeWithin = 400

export interface SessionParts {
  readonly lease: Lease
  /** What its grant has proved. */
  readonly opened: Proof
  readonly keys: Keys
  readonly members: Members
  /** For the watches only. */
  readonly watchers: Members
  /** The session is over, and its lease may not be. */
  readonly left: (lease: string) => void
}

type Standing = Grant | Proof | Loss
type Queued = Extract<Admitted, { outcome: 'queued' }>

export class EtcdSession implements Session {
  readonly ordered = false
  readonly leases = 'session'
  readonly ttl: number
  readonly ended: Promise<LockError>
  readonly #options: SessionOptions
  readonly #parts: SessionParts
  readonly #ledger: Ledger
  readonly #verbs: Verbs
  readonly #watches: Watches
  readonly #inbox: Inbox
  readonly #queues: Queues
  readonly #heartbeat: Heartbeat
  #end!: (why: LockError) => void
  #closing: Promise<void> | undefined
  #over = false

  constructor(parts: SessionParts, options: SessionOptions) {
    const { lease, opened, keys, members, watchers } = parts
    const { clock, random } = options
    this.ttl = lease.ttl
    this.ended = new Promise((resolve) => (this.#end = resolve))
    this.#options = options
    this.#parts = parts
    this.#ledger = new Ledger(lease.hex)
    this.#verbs = new Verbs(members, keys, lease.id, options)
    this.#watches = new Watches({ clock, random, members: watchers })
    this.#inbox = new Inbox({
      keys,
      lease,
      watches: this.#watches,
      members,
      robbed: (who) => this.#robbed(who),
      gone: () => this.#finish(leaseEnded(), false),
    })
    this.#queues = new Queues({
      clock,
      keys,
      watches: this.#watches,
      view: (name) => this.#verbs.view(name),
      run: (request) => this.#verbs.run(request),
      confirm: (line, request, revision) => this.#verbs.confirm(line, request, revision, clock.now()),
      granted: (line, created) => {
        if (line.state !== 'stolen') options.events.granted(this.#grant(line, created))
      },
      lost: ({ claim }, how) => options.events.lost(claim.id, how),
    })
    const period = this.ttl / 3
    this.#heartbeat = new Heartbeat(
      {
        clock,
        ttl: this.ttl,
        period,
        beat: (sent) => this.#beat(sent),
        died: () => this.#finish(unavailable('etcd has not confirmed the lease of the session for a ttl')),
      },
      opened,
    )
  }

  /** Puts the session's own key, which shows that this user may, and begins to listen. */
  begin(): Promise<void> {
    return this.#inbox.open(this.#options)
  }

  async acquire(request: Request): Promise<Grant | 'queued' | null> {
    const line = this.#ledger.asked(request)
    const admitted = await this.#lasting(this.#ask(line, request))
    // It may have been removed meanwhile, before it was applied.
    this.#ledger.keep(line)
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
    const proof = await this.#heartbeat.renewed()
    const [keys] = await Promise.all([this.#parts.lease.keys(), this.#queues.check().catch(() => {})])
    const places = keys.flatMap((key) => this.#parts.keys.place(key) ?? [])
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
    if (doubtful.some(({ who }) => !found.has(who))) await this.#inbox.read()
    for (const line of doubtful) standings.set(line.claim.id, this.#looked(line, found.get(line.who), proof))
    return standings
  }

  async remove(claim: Claim): Promise<boolean> {
    const line = this.#ledger.get(claim.id) ?? (await this.#lookFor(claim))
    if (!line) return false
    this.#queues.leave(line)
    const found = await this.#lasting(this.#verbs.remove(line))
    this.#ledger.delete(line)
    return found
  }

  async own(): Promise<readonly Claim[]> {
    const keys = await this.#parts.lease.keys()
    return keys.flatMap((key) => {
      const place = this.#parts.keys.place(key)
      return place ? [this.#ledger.adopted(place).claim] : []
    })
  }

  async query(name?: string): Promise<readonly Entry[]> {
    const { queue } = await this.#lasting(name === undefined ? this.#verbs.list() : this.#verbs.view(name))
    return entriesOf(queue, name)
  }

  close(): Promise<void> {
    this.#finish(unavailable('the session was closed'))
    return this.#closing ?? Promise.resolve()
  }

  #ask(line: Line, request: Request): Promise<Admitted> {
    const now = this.#options.clock.now()
    if (request.steal) return this.#verbs.steal(line, request, now)
    if (!request.wait) return this.#verbs.tryAdmit(line, request, now)
    return this.#queues.has(line.name) ? this.#verbs.join(line, request, now) : this.#verbs.admit(line, request, now)
  }

  /** It has a place in the queue, and may hold at once beside those ahead of it. */
  async #queued(line: Line, request: Request, admitted: Queued): Promise<Grant | 'queued' | null> {
    // The news of its grant has overtaken the answer.
    if (line.state === 'granted' || line.state === 'stolen') return 'queued'
    line.state = 'queued'
    line.created = admitted.created
    const view = admitted.view ?? (request.wait ? undefined : await this.#lasting(this.#verbs.view(line.name)))
    if (view && isGranted(line.who, view.queue)) {
      const now = this.#options.clock.now()
      const confirmed = await this.#lasting(this.#verbs.confirm(line, request, view.revision, now))
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
    if (line.state === 'stolen') throw unavailable('the lock was stolen before the answer that it was granted')
    line.state = 'granted'
    line.created = created
    return grantOf(line, this.#heartbeat.proof)
  }

  #standing(line: Line, proof: Proof): Standing {
    return line.state === 'granted' ? grantOf(line, proof) : proof
  }

  /** What the store has of an entry, when that was not what was known of it. */
  #looked(line: Line, found: Found | undefined, proof: Proof): Standing {
    if (line.state === 'stolen') return 'stolen'
    if (!found) return 'gone'
    if (!holds(found)) return proof
    this.#queues.leave(line)
    line.state = 'granted'
    line.created = found.created
    return grantOf(line, proof)
  }

  /** An entry of which nobody here knows any more where it is. */
  async #lookFor(claim: Claim): Promise<Line | undefined> {
    await this.own()
    return this.#ledger.get(claim.id)
  }

  #robbed(who: string): void {
    const line = this.#ledger.by(who)
    if (!line) return
    line.state = 'stolen'
    this.#options.events.lost(line.claim.id, 'stolen')
  }

  /**
   * A proof: the lease is renewed, and after that a majority still follows the leader of the term in which it was. The
   * order matters: the keepalive's term is older than the renewal, so no leader of another term can have given it, and the
   * read shows that no later one had been elected by then, who would let the lease expire by a time of its own.
   */
  async #beat(sent: Instant): Promise<Proof> {
    const { lease, members } = this.#parts
    // With others to turn to, one that is silent is to be left soon.
    const within = members.count > 1 ? Math.max(this.ttl / 6, 250) : members.patience
    for (let from = sent, again = false; ; from = this.#options.clock.now(), again = true) {
      const { ttl, term } = await lease.keepAlive(within)
      if (ttl === 0) this.#finish(leaseEnded(), false)
      if (this.#over) throw leaseEnded()
      if ((await this.#inbox.read(within)) === term) return { sent: from, ttl: Math.min(ttl, this.ttl) }
      if (again) throw unavailable('the etcd cluster has just changed its leader')
    }
  }

  /** A call's answer. One that shows that the lease has ended is followed up at once. */
  async #lasting<T>(answer: Promise<T>): Promise<T> {
    try {
      return await answer
    } catch (error) {
      if (leaseIsGone(error)) this.#heartbeat.renewed().catch(() => {})
      throw error
    }
  }

  #finish(why: LockError, revoke = true): void {
    if (this.#over) return
    this.#over = true
    this.#heartbeat.end()
    this.#queues.close()
    this.#watches.close()
    this.#closing = this.#letGo(revoke)
    this.#end(why)
  }

  /** Ends the lease where it can be reached; else it expires, or the manager's next session ends it. */
  async #letGo(revoke: boolean): Promise<void> {
    const { lease, members, watchers, left } = this.#parts
    let ended = !revoke
    const revoked = revoke ? lease.revoke().then(() => (ended = true)) : Promise.resolve()
    await settledWithin(this.#options.clock, revoked, closeWithin)
    if (!ended) left(lease.id)
    members.close()
    watchers.close()
  }
}

const leaseEnded = (): LockError => unavailable('the lease of the session was revoked or has expired')

function grantOf({ claim, created }: Line, proof: Proof): Grant {
  return { id: claim.id, tokens: [tokenOf(created ?? 0n)], proof }
}
