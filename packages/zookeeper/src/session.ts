import {
  Heartbeat,
  Lanes,
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
import type { Client } from './client.ts'
import { code, failureOf, unavailable, unless } from './failures.ts'
import { Ledger } from './ledger.ts'
import { ephemerals, remove, transaction } from './operations.ts'
import { Parents } from './parents.ts'
import type { Paths } from './paths.ts'
import { Place } from './place.ts'
import { Queues } from './queues.ts'
import type { Settings } from './options.ts'
import type { Sign } from './sign.ts'
import { labelOf, Snapshots } from './snapshots.ts'
import { Watches } from './watches.ts'

/** Milliseconds for which `close` waits for the servers. */
const closeWithin = 400
/** Of these, for what it removes before the session. */
const tidyWithin = 200
/** So many names are looked at with each renewal. */
const looksAtOnce = 20
/** So many nodes are removed by one request. */
const mostAtOnce = 100

type Standing = Grant | Proof | Loss

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
  readonly #queues: Queues
  readonly #snapshots: Snapshots
  /** Woken, and not looked after yet. */
  readonly #woken = new Set<Place>()
  #end!: (why: LockError) => void
  #closing: Promise<void> | undefined
  #over = false
  /** How far `#lookAtSome` has come. */
  #looked = 0

  constructor({ client, paths, sign, settings }: SessionParts, options: SessionOptions, since: Instant) {
    const { clock, clientId, owner } = options
    const { call, ttl } = client
    const { acl } = settings
    this.ttl = ttl
    this.ended = new Promise((resolve) => (this.#end = resolve))
    this.#options = options
    this.#client = client
    this.#paths = paths
    this.#sign = sign
    this.#lanes = new Lanes(clock)
    this.#parents = new Parents(call, paths, acl)
    this.#watches = new Watches(call)
    this.#snapshots = new Snapshots(call, paths)
    this.#queues = new Queues({
      call,
      clock,
      acl,
      paths,
      lanes: this.#lanes,
      parents: this.#parents,
      watches: this.#watches,
      data: (name) => labelOf(clientId, owner, paths.parent(name).endsWith(`/${name}`) ? undefined : name),
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
    return this.#told(this.#renew(claims))
  }

  async #renew(claims: readonly Claim[]): Promise<ReadonlyMap<string, Standing>> {
    const standings = new Map<string, Standing>()
    const places = claims.flatMap(({ id }) => {
      const place = this.#ledger.get(id)
      if (!place) standings.set(id, 'gone')
      return place?.node === undefined ? [] : [{ place, path: this.#queues.path(place) }]
    })
    // One answer for all locks, and one round trip: the list is read behind the write of the beat.
    const [proof, found] = await Promise.all([
      this.#heartbeat.renewed(),
      this.#client.call(ephemerals(this.#paths.namespace), true),
    ])
    const alive = new Set(found)
    const lost = places.filter(({ place, path }) => !alive.has(path) && !place.unwanted)
    await Promise.all(lost.map(async ({ place }) => standings.set(place.request.id, await this.#lose(place))))
    await this.#lookAtSome()
    for (const { place } of places) {
      const { id } = place.request
      if (standings.has(id) || place.unwanted) continue
      if (place.token !== undefined) standings.set(id, { ...this.#grant(place), proof })
      else if (place.waits) standings.set(id, proof)
    }
    return standings
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
    const paths = [...this.#ledger].flatMap((place) => (place.node === undefined ? [] : [this.#queues.path(place)]))
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
    for (const [name, waiting] of this.#ledger.waiting()) void this.#look(name, waiting)
  }

  changed(path: string): void {
    this.#watches.changed(path)
  }

  /** Lets go of everything local. */
  finish(why: LockError): void {
    if (this.#over) return
    this.#over = true
    this.#heartbeat.end()
    this.#client.end()
    this.#watches.clear()
    this.#end(why)
  }

  #newPlace(request: Request): Place {
    const place = new Place(request, this.#sign.session, (woken) => this.#wake(woken))
    this.#ledger.add(place)
    return place
  }

  async #beat(sent: Instant): Promise<Proof> {
    this.#parents.tidy(sent, (name) => this.#ledger.has(name))
    const since = await this.#client.beat(sent, () => this.#sign.give(this.#client.call))
    const proof = { sent: since, ttl: this.ttl }
    // Without waiting for the next renewal: by then it would be too old to be of much use.
    for (const place of this.#ledger) {
      if (place.token !== undefined && !place.unwanted) this.#options.events.granted({ ...this.#grant(place), proof })
    }
    return proof
  }

  #grant(place: Place): Grant {
    return { id: place.request.id, tokens: [place.token ?? 0n], proof: this.#heartbeat.proof }
  }

  /** Those of one name who are woken in the same moment look at one list. */
  #wake(place: Place): void {
    if (!place.waits) return
    if (this.#woken.size === 0) queueMicrotask(() => this.#lookAfterWoken())
    this.#woken.add(place)
  }

  #lookAfterWoken(): void {
    const byName = Map.groupBy(this.#woken, ({ name }) => name)
    this.#woken.clear()
    for (const [name, places] of byName) void this.#look(name, places)
  }

  /** No notice is lost while a connection lasts, and the next one looks at all; should it happen, it costs a while. */
  async #lookAtSome(): Promise<void> {
    const waiting = [...this.#ledger.waiting()]
    const from = waiting.length > looksAtOnce ? this.#looked % waiting.length : 0
    const some = [...waiting.slice(from), ...waiting.slice(0, from)].slice(0, looksAtOnce)
    this.#looked = from + looksAtOnce
    await Promise.all(some.map(([name, places]) => this.#look(name, places)))
  }

  /** Grants whoever can be granted, and tells of it. */
  async #look(name: string, places: readonly Place[]): Promise<void> {
    try {
      const list = await this.#queues.list(name)
      await Promise.all(places.map((place) => this.#lookAfter(place, list)))
    } catch {
      // Without a connection; the next one brings them here again, and so does the next renewal.
    }
  }

  async #lookAfter(place: Place, list: Parameters<Queues['decide']>[1]): Promise<void> {
    const { id } = place.request
    try {
      if ((await this.#queues.decide(place, list)) === 'held' && !place.unwanted) {
        this.#options.events.granted(this.#grant(place))
      }
    } catch {
      if (place.node !== undefined || place.unwanted) return
      this.#ledger.delete(place)
      this.#options.events.lost(id, 'gone')
    }
  }

  /** Its node is not there any more. */
  async #lose(place: Place): Promise<Loss> {
    const list = await unless(this.#queues.list(place.name), undefined, code.noNode)
    this.#ledger.delete(place)
    return list && place.token !== undefined && list.stat.version > place.version ? 'stolen' : 'gone'
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
