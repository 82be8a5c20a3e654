import {
  Heartbeat,
  keyOf,
  Lanes,
  settledWithin,
  type Claim,
  type Entry,
  type Grant,
  type Instant,
  type LockError,
  type Proof,
  type Request,
  type Session,
  type SessionOptions,
} from '@locks/core/backend'
import type { Client } from './client.ts'
import { markOf } from './contenders.ts'
import { code, failureOf, unavailable, unless } from './failures.ts'
import { Ledger } from './ledger.ts'
import { Looks } from './looks.ts'
import { Nodes } from './nodes.ts'
import { Observers } from './observers.ts'
import { ephemerals, events, remove, transaction } from './operations.ts'
import { Parents } from './parents.ts'
import type { Paths } from './paths.ts'
import { Place } from './place.ts'
import { Queues } from './queues.ts'
import { standings, type RenewalsOptions, type Standing } from './renewals.ts'
import type { Settings } from './options.ts'
import type { Sign } from './sign.ts'
import { labelOf, Snapshots } from './snapshots.ts'
import { Watches } from './watches.ts'

/** Milliseconds for which `close` waits for the servers. */
const closeWithin = 400
/** Of these, for what it removes before the session. */
const tidyWithin = 200
/** So many nodes are removed by one request. */
const mostAtOnce = 100

export interface SessionParts {
  readonly client: Client
  readonly paths: Paths
  readonly sign: Sign
  readonly settings: Settings
}

export class ZookeeperSession implements Session {
  readonly ordered = true
  readonly leases = 'session'
  readonly ttl: number
  readonly ended: Promise<LockError>
  readonly #options: SessionOptions
  readonly #client: Client
  readonly #paths: Paths
  readonly #sign: Sign
  readonly #heartbeat: Heartbeat
  readonly #ledger = new Ledger()
  readonly #lanes: Lanes
  readonly #parents: Parents
  readonly #watches: Watches
  readonly #nodes: Nodes
  readonly #queues: Queues
  readonly #observers: Observers
  readonly #snapshots: Snapshots
  readonly #looks: Looks
  readonly #renewals: RenewalsOptions
  /** How many it has had. */
  #places = 0
  #end!: (why: LockError) => void
  #closing: Promise<void> | undefined
  #over = false

  constructor({ client, paths, sign, settings }: SessionParts, options: SessionOptions, since: Instant) {
    const { clock, clientId, owner, events } = options
    const { call, ttl } = client
    const { acl } = settings
    const label = labelOf(clientId, owner)
    this.ttl = ttl
    this.ended = new Promise((resolve) => (this.#end = resolve))
    this.#options = options
    this.#client = client
    this.#paths = paths
    this.#sign = sign
    this.#lanes = new Lanes(clock)
    this.#parents = new Parents(call, paths, acl)
    this.#watches = new Watches(call, (place) => this.#looks.wake(place))
    this.#snapshots = new Snapshots(call, paths)
    this.#nodes = new Nodes({
      call,
      clock,
      acl,
      paths,
      lanes: this.#lanes,
      parents: this.#parents,
      data: ({ names: [name = ''], value }) =>
        value === undefined && keyOf(name) === name ? label : labelOf(clientId, owner, name, value),
    })
    this.#queues = new Queues(call, this.#nodes, this.#watches)
    this.#observers = new Observers(call, paths)
    this.#looks = new Looks({
      ledger: this.#ledger,
      nodes: this.#nodes,
      queues: this.#queues,
      granted: (place) => events.granted(this.#grant(place)),
      gone: (place) => {
        this.#ledger.delete(place)
        events.lost(place.request.id, 'gone')
      },
    })
    this.#heartbeat = new Heartbeat(
      {
        clock,
        ttl,
        // A proof is three beats old, and four when the next one comes: not yet half a ttl.
        period: ttl / 10,
        beat: (sent) => this.#beat(sent),
        died: () => this.finish(unavailable('no ZooKeeper server has confirmed the session for a ttl')),
      },
      { sent: since, ttl },
    )
    this.#renewals = {
      call,
      paths,
      ledger: this.#ledger,
      nodes: this.#nodes,
      looks: this.#looks,
      heartbeat: this.#heartbeat,
      grant: (place, proof) => this.#grant(place, proof),
    }
  }

  acquire(request: Request): Promise<Grant | 'queued' | null> {
    return this.#told(this.#acquire(request))
  }

  async #acquire(request: Request): Promise<Grant | 'queued' | null> {
    const place = this.#ledger.get(request.id) ?? this.#newPlace(request)
    place.entering ??= this.#lanes
      .run(request.names, () => this.#queues.enter(place), undefined)
      .finally(() => (place.entering = undefined))
    try {
      const outcome = await place.entering
      if (outcome === 'held') return this.#grant(place)
      if (outcome === 'refused') this.#ledger.delete(place)
      place.queued = outcome === 'queued'
      return outcome === 'queued' ? 'queued' : null
    } catch (error) {
      // Nothing is left of it.
      if (place.node === undefined && !place.doubtful) this.#ledger.delete(place)
      throw error
    }
  }

  renew(claims: readonly Claim[]): Promise<ReadonlyMap<string, Standing>> {
    return this.#told(standings(this.#renewals, claims))
  }

  remove(claim: Claim): Promise<boolean> {
    return this.#told(this.#remove(claim))
  }

  async #remove(claim: Claim): Promise<boolean> {
    const place = this.#ledger.get(claim.id)
    // Found by an audit, or gone.
    if (!place) return claim.id.startsWith('/') && this.#delete(claim.id)
    place.unwanted = true
    // What comes next about the name must not find what is only on its way out.
    if (place.making) this.#lanes.occupy(claim.names, place.making)
    const found = await this.#queues.leave(place)
    this.#ledger.delete(place)
    return found
  }

  async own(): Promise<readonly Claim[]> {
    const found = await this.#told(this.#client.call(ephemerals(this.#paths.namespace)))
    return this.#ledger.claims(found, this.#paths)
  }

  watch(name: string, changed: () => void): Promise<() => void> {
    return this.#told(this.#observers.add(name, changed))
  }

  async query(name?: string): Promise<readonly Entry[]> {
    await this.#lanes.idle(name)
    return this.#told(name === undefined ? this.#snapshots.all() : this.#snapshots.of(name))
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    const { clock } = this.#options
    this.#heartbeat.end()
    // The parents are deleted by the servers as well, but not at once.
    await settledWithin(clock, this.#clear(), tidyWithin)
    await settledWithin(clock, this.#client.close(), closeWithin - tidyWithin)
    this.finish(unavailable('the session was closed'))
  }

  /** What does not go here goes with the session; then its parents have to wait for the servers. */
  async #clear(): Promise<void> {
    const paths = [...this.#ledger].flatMap((place) => (place.node === undefined ? [] : [this.#nodes.path(place)]))
    paths.push(this.#sign.path)
    const work = []
    for (let at = 0; at < paths.length; at += mostAtOnce) {
      const steps = paths.slice(at, at + mostAtOnce).map((path) => ({ kind: 'remove', path }) as const)
      work.push(this.#client.call(transaction(steps)))
    }
    await Promise.allSettled([...work, this.#parents.clear()])
  }

  /** The connection has been replaced. */
  restored(): void {
    this.#watches.clear()
    this.#looks.all()
    this.#observers.restored()
  }

  changed(path: string, event: number): void {
    // No waiter watches for that: its event is an observer's.
    if (event !== events.written) this.#watches.changed(path)
    this.#observers.changed(path, event)
  }

  /** Lets go of everything local. */
  finish(why: LockError): void {
    if (this.#over) return
    this.#over = true
    this.#heartbeat.end()
    this.#client.end()
    this.#watches.clear()
    this.#observers.close()
    this.#end(why)
  }

  #newPlace(request: Request): Place {
    const mark = markOf(this.#sign.session, ++this.#places)
    const place = new Place(request, mark)
    this.#ledger.add(place)
    return place
  }

  async #beat(sent: Instant): Promise<Proof> {
    this.#parents.tidy(sent, (name) => this.#ledger.has(name))
    const since = await this.#client.beat(sent, () => this.#sign.give(this.#client.call))
    const proof = { sent: since, ttl: this.ttl }
    // Without waiting for the next renewal: by then it would be too old to be of much use.
    for (const place of this.#ledger) {
      if (place.token !== undefined && !place.unwanted) this.#options.events.granted(this.#grant(place, proof))
    }
    return proof
  }

  #grant(place: Place, proof: Proof = this.#heartbeat.proof): Grant {
    return { id: place.request.id, tokens: [place.token ?? 0n], proof }
  }

  async #delete(path: string): Promise<boolean> {
    return unless(
      this.#client.call(remove(path)).then(() => true),
      false,
      code.noNode,
    )
  }

  async #told<T>(answer: Promise<T>): Promise<T> {
    try {
      return await answer
    } catch (error) {
      throw failureOf(error)
    }
  }
}
