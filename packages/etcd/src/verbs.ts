import { Admission, granted, type Contender, type Instant } from '@locks/core/backend'
import type { IDeleteRangeResponse, IKeyValue, IRequestOp, ITxnRequest, ITxnResponse } from 'etcd3'
import { Bundles } from './bundles.ts'
import { isFull, leaseIsGone, unavailable } from './failures.ts'
import { foundIn, holds, sorted, valueOf, type Found, type Owner, type Wanted } from './entries.ts'
import { ranks, type Keys, type Rank } from './keys.ts'
import { isNew, type Line } from './ledger.ts'
import type { Members } from './members.ts'
import * as txn from './transactions.ts'

/** What a name's queue was at a revision of the store. */
export interface View {
  readonly queue: readonly Found[]
  readonly revision: bigint
}

export type Admitted =
  | { readonly outcome: 'granted'; readonly created: bigint }
  /** Without a view if none was asked for. */
  | { readonly outcome: 'queued'; readonly created: bigint; readonly view?: View | undefined }
  | { readonly outcome: 'refused' }
  | { readonly outcome: 'other kind'; readonly there: Contender }

export type Confirmed =
  | { readonly outcome: 'granted'; readonly created: bigint }
  | { readonly outcome: 'waits' | 'gone' }

/** So many operations in one transaction: the server's own limit is 128. */
const mostAtOnce = 99
/** How often a thief tries when others are granted the lock between its look and its grasp. */
const mostGrasps = 20

/** What a session asks of its names: a transaction each, and what its answer means. */
export class Verbs {
  readonly #members: Members
  readonly #keys: Keys
  readonly #lease: string
  readonly #owner: Owner
  readonly #asked = new Bundles((request) => this.run(request))
  readonly #removed = new Bundles((request) => this.#runRemoval(request))

  constructor(members: Members, keys: Keys, lease: string, owner: Owner) {
    this.#members = members
    this.#keys = keys
    this.#lease = lease
    this.#owner = owner
  }

  /**
   * Takes a name that has no entries, or a place at the end of its queue. Finds its own entry if it has been applied
   * before, whether that waits or holds by now.
   */
  async admit(line: Line, request: Wanted, now: Instant): Promise<Admitted> {
    const all = this.#keys.name(line.name)
    const value = valueOf(line.name, request, this.#owner, now)
    const answer = await this.#put(line, value, {
      compare: [txn.empty(all)],
      success: [txn.put(this.#key(line, line.rank), value, this.#lease)],
      failure: [txn.nested(this.#enqueue(line, value, true))],
    })
    if (answer.succeeded) return { outcome: 'granted', created: BigInt(answer.header.revision) }
    return this.#enqueued(line, answer, txn.nestedSucceeded(answer) === true)
  }

  /** The same without a view, where there is one already: a long queue is not to be read for each that joins it. */
  async join(line: Line, request: Wanted, now: Instant): Promise<Admitted> {
    const value = valueOf(line.name, request, this.#owner, now)
    const answer = await this.#put(line, value, this.#enqueue(line, value, false))
    const admitted = this.#enqueued(line, answer, answer.succeeded)
    return admitted.outcome === 'queued' ? { ...admitted, view: undefined } : admitted
  }

  /** Like `admit`, but takes a place in the queue only if it can hold beside all that are in it. */
  async tryAdmit(line: Line, request: Wanted, now: Instant): Promise<Admitted> {
    const all = this.#keys.name(line.name)
    const value = valueOf(line.name, request, this.#owner, now)
    const answer = await this.#put(line, value, {
      compare: [txn.empty(all)],
      success: [txn.put(this.#key(line, line.rank), value, this.#lease)],
      failure: [txn.list(all)],
    })
    if (answer.succeeded) return { outcome: 'granted', created: BigInt(answer.header.revision) }
    const { queue } = this.#viewIn(answer)
    const own = this.#ownIn(line, queue)
    if (own) return own
    const [first] = queue
    if (first && first.place.kind !== line.kind) return { outcome: 'other kind', there: first }
    const admission = new Admission()
    const mayHold = [...queue, request].every((each) => {
      const admitted = admission.admits(each)
      admission.take(each)
      return admitted
    })
    return mayHold ? this.admit(line, request, now) : { outcome: 'refused' }
  }

  /**
   * Makes a waiter a holder that may be one by a view of the queue. The view decides whose turn it is; that nobody is
   * there who excludes it is for the store to say at this moment, whatever the view has missed. Permits exclude each
   * other by their sum, which no comparison tells: see `docs/decisions/0011-etcd.md` for why a view suffices.
   */
  async confirm(line: Line, request: Wanted, now: Instant): Promise<Confirmed> {
    const [waiter, holder] = [this.#key(line, '2'), this.#key(line, line.rank)]
    const value = valueOf(line.name, request, this.#owner, now)
    const answer = await this.#put(line, value, {
      compare: [txn.since(waiter, line.created ?? 0n), txn.empty(this.#keys.conflicting(line.name, request))],
      success: [txn.remove(waiter), txn.put(holder, value, this.#lease)],
      failure: [txn.get(holder), txn.get(waiter)],
    })
    if (answer.succeeded) return { outcome: 'granted', created: BigInt(answer.header.revision) }
    const own = this.#ownIn(line, this.#viewIn(answer).queue)
    if (!own) return { outcome: 'gone' }
    if (own.outcome === 'granted') return own
    line.created = own.created
    return { outcome: 'waits' }
  }

  /** Takes the name from whoever holds it at this moment, and leaves each of them word of it. */
  async steal(line: Line, request: Wanted, now: Instant): Promise<Admitted> {
    for (let grasps = 0; grasps < mostGrasps; grasps++) {
      const view = await this.view(line.name)
      const own = this.#ownIn(line, view.queue)
      if (own) return own
      const [first] = view.queue
      if (first && first.place.kind !== line.kind) return { outcome: 'other kind', there: first }
      const created = await this.#grasp(line, request, view, now)
      if (created !== undefined) return { outcome: 'granted', created }
    }
    throw unavailable('others were granted the lock whenever it was to be stolen')
  }

  /** Whether it was there, in whatever rank: `held` says where it is likely to be, and there is nowhere else then. */
  async remove(line: Line, held: boolean): Promise<boolean> {
    // What is not removed within a ttl ends the session.
    if (held && (await this.#removedFrom(line, [line.rank]))) return true
    return this.#removedFrom(line, ranks)
  }

  async #removedFrom(line: Line, from: readonly Rank[]): Promise<boolean> {
    const keys = from.map((rank) => this.#key(line, rank))
    try {
      return txn.removedBy(await this.#removed.add(line.name, { success: keys.map(txn.remove) }, 0)) > 0
    } catch (error) {
      // A server that is full refuses any transaction, and carries out deletions.
      if (!isFull(error)) throw error
      const answers = await Promise.all(keys.map((key) => this.#delete(key)))
      return answers.some(({ deleted }) => deleted !== '0')
    }
  }

  #delete(key: Buffer): Promise<IDeleteRangeResponse> {
    return this.#members.call((client, options) => client.kv.deleteRange({ key }, options), true)
  }

  async view(name: string): Promise<View> {
    return this.#viewIn(await this.run({ success: [txn.list(this.#keys.name(name))] }))
  }

  /** All names of the namespace. */
  async list(): Promise<View> {
    return this.#viewIn(await this.run({ success: [txn.list(this.#keys.names)] }))
  }

  /** Those of these that the store has, by `who`. */
  async find(lines: readonly Line[]): Promise<ReadonlyMap<string, Found>> {
    // All ranks of one in the same transaction: it may change from one to another at any time.
    const wanted = parts(lines, mostAtOnce / ranks.length).map((some) => {
      return some.flatMap((line) => ranks.map((rank) => txn.get(this.#key(line, rank))))
    })
    const { patience } = this.#members
    const answers = await Promise.all(
      // A part of a renewal, which waits behind nobody.
      wanted.map((success) =>
        this.#members.callNow((client, options) => client.kv.txn({ success }, options), patience),
      ),
    )
    const found = answers.flatMap((answer) => this.#viewIn(answer).queue)
    return new Map(found.map((each) => [each.place.who, each]))
  }

  run(request: ITxnRequest): Promise<ITxnResponse> {
    return this.#members.call((client, options) => client.kv.txn(request, options))
  }

  /** What is one deletion is sent as such: in a transaction it makes an acquire and release about a tenth dearer. */
  async #runRemoval(request: ITxnRequest): Promise<ITxnResponse> {
    const [first, ...more] = request.success ?? []
    const { key } = first?.request_delete_range ?? {}
    if (key === undefined || more.length > 0) {
      return this.#members.call((client, options) => client.kv.txn(request, options), true)
    }
    const answer = await this.#delete(key)
    return { header: answer.header, succeeded: true, responses: [{ response_delete_range: answer }] } as ITxnResponse
  }

  /** A transaction about a name that may put this value. */
  #put({ name }: Line, value: Buffer, request: ITxnRequest): Promise<ITxnResponse> {
    return this.#asked.add(name, request, value.length)
  }

  /** Its place in the queue, unless it has one, which it cannot when it is new, or the name is of another kind. */
  #enqueue(line: Line, value: Buffer, look: boolean): ITxnRequest {
    const waiter = this.#key(line, '2')
    const own = isNew(line) ? [] : [this.#key(line, line.rank), waiter]
    const all = this.#keys.name(line.name)
    const others = this.#keys.otherKinds(line.name, line.kind)
    return {
      compare: [...others.map(txn.empty), ...own.map(txn.absent)],
      success: [txn.put(waiter, value, this.#lease), ...(look ? [txn.list(all)] : [])],
      failure: [...own.map(txn.get), txn.list(all, 1)],
    }
  }

  #enqueued(line: Line, answer: ITxnResponse, fresh: boolean): Admitted {
    const view = this.#viewIn(answer)
    if (fresh) return { outcome: 'queued', created: view.revision, view }
    const own = this.#ownIn(line, view.queue)
    if (own) return own
    const [first] = view.queue
    return first ? { outcome: 'other kind', there: first } : { outcome: 'refused' }
  }

  /** What an earlier attempt has made of it. */
  #ownIn(line: Line, queue: readonly Found[]): Exclude<Admitted, { outcome: 'refused' | 'other kind' }> | undefined {
    const own = queue.find(({ place }) => place.who === line.who)
    if (!own) return undefined
    return { outcome: holds(own) ? 'granted' : 'queued', created: own.created }
  }

  /** The revision at which it has taken the name; undefined if somebody else was granted something first. */
  async #grasp(line: Line, request: Wanted, view: View, now: Instant): Promise<bigint | undefined> {
    const own = this.#key(line, line.rank)
    const holders = this.#keys.conflicting(line.name, request)
    const markers = view.queue.flatMap((found) => (holds(found) ? this.#markerFor(found) : []))
    const [first = [], ...more] = parts(markers, mostAtOnce)
    try {
      const answer = await this.run({
        compare: [
          ...this.#keys.otherKinds(line.name, line.kind).map(txn.empty),
          txn.nothingAfter(holders, view.revision),
        ],
        success: [
          // All but the own key, which one transaction cannot remove and put.
          txn.removeRange({ key: holders.key, range_end: own }),
          txn.removeRange({ key: Buffer.concat([own, Buffer.of(0)]), range_end: holders.range_end }),
          txn.put(own, valueOf(line.name, request, this.#owner, now), this.#lease),
          ...first,
        ],
      })
      if (!answer.succeeded) return undefined
      // Who is told by nobody finds it out by the next renewal.
      for (const success of more) this.run({ success }).catch(() => {})
      return BigInt(answer.header.revision)
    } catch (error) {
      // One of the robbed has ended meanwhile, which leaves fewer to rob; or the own session has.
      if (leaseIsGone(error)) return undefined
      throw error
    }
  }

  /** Goes with the lease of whoever is robbed. The own session knows by itself, and what no session made is told nothing. */
  #markerFor({ place: { who }, lease, created }: Found): IRequestOp[] {
    if (lease === this.#lease || !who.startsWith(`${BigInt(lease).toString(16)}-`)) return []
    return [txn.put(this.#keys.marker(who), Buffer.from(String(created)), lease)]
  }

  #key({ name, kind, who }: Line, rank: Rank): Buffer {
    return this.#keys.entry(name, { kind, rank, who })
  }

  #viewIn(answer: ITxnResponse): View {
    const found = txn.keysIn(answer).flatMap((kv: IKeyValue) => foundIn(this.#keys, kv) ?? [])
    return { queue: sorted(found), revision: BigInt(answer.header.revision) }
  }
}

/** Whether a contender is among those that are granted. */
export const isGranted = (who: string, queue: Iterable<Found>): boolean =>
  granted(queue).some(({ place }) => place.who === who)

/** A list in parts of at most so many. */
export function parts<T>(all: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, at) => all.slice(at * size, (at + 1) * size))
}
