import { blockers, checkKind, type Clock, type Lanes } from '@locks/core/backend'
import type { Stat } from './answer.ts'
import type { Call } from './client.ts'
import { firstOf, nodePrefix, queueOf, victims, type Seat } from './contenders.ts'
import { code, failureOf, Refusal, unavailable, unless } from './failures.ts'
import type { Parents } from './parents.ts'
import type { Paths } from './paths.ts'
import type { Place } from './place.ts'
import { children, create, read, remove, transaction, write, type Acl, type Node, type Outcome } from './operations.ts'
import { tokenOf } from './tokens.ts'
import type { Watches } from './watches.ts'

export interface QueuesOptions {
  readonly call: Call
  readonly clock: Clock
  readonly lanes: Lanes
  readonly paths: Paths
  readonly parents: Parents
  readonly watches: Watches
  readonly acl: readonly Acl[]
  /** What the node of a name's contender holds. */
  readonly data: (name: string) => Buffer
}

/** Everybody who has a node under a parent, in order, at one moment. */
export interface Queue {
  readonly seats: readonly Seat[]
  /** Where in it, by node. */
  readonly at: ReadonlyMap<string | undefined, number>
  /** Who came first: its kind is the name's. */
  readonly first: Seat | undefined
  /** The parent's. */
  readonly stat: Stat
}

/** The servers number the children of a node up to 2^31 - 1, and then give the last number again and again. */
const lastSequence = 2 ** 31 - 2 ** 24

const empty = Buffer.alloc(0)

/**
 * The rules of the queues. A contender's node is made, and all that is decided afterwards follows from lists that are
 * newer than it: whoever is not ahead in one of them will never be, but for thieves.
 */
export class Queues {
  readonly #options: QueuesOptions
  readonly #call: Call
  readonly #lists = new Map<string, Promise<Queue>>()

  constructor(options: QueuesOptions) {
    this.#options = options
    this.#call = options.call
  }

  /** Takes the claim's place in the queue, or finds it there. */
  async enter(place: Place): Promise<'held' | 'queued' | 'refused'> {
    // Its turn has come after its removal.
    if (place.unwanted) throw this.#gone(place)
    if (place.node === undefined && place.doubtful) await this.#find(place)
    if (place.node === undefined) return place.request.steal ? this.#takeOver(place) : this.#lineUp(place)
    if (place.request.steal) return this.#resumeTakeOver(place)
    return this.decide(place, await this.list(place.name))
  }

  /** One list serves all who ask for it in one go of the event loop: it leaves behind whatever they have sent. */
  list(name: string): Promise<Queue> {
    const pending = this.#lists.get(name)
    if (pending) return pending
    const list = Promise.resolve().then(async () => {
      this.#lists.delete(name)
      const { names, stat } = await this.#call(children(this.#options.paths.parent(name)))
      const seats = queueOf(names)
      return { seats, at: new Map(seats.map(({ node }, at) => [node, at])), first: firstOf(seats), stat }
    })
    this.#lists.set(name, list)
    return list
  }

  path(place: Place): string {
    return `${this.#options.paths.parent(place.name)}/${place.node}`
  }

  /** Deletes the claim's node; whether there was one. */
  async leave(place: Place): Promise<boolean> {
    // Its answer may be on its way.
    await place.making
    if (place.node === undefined && place.doubtful) await this.#find(place)
    if (place.node === undefined) return false
    this.#unwatch(place)
    const found = await unless(
      this.#call(remove(this.path(place))).then(() => true),
      false,
      code.noNode,
    )
    place.node = undefined
    return found
  }

  /** What a list means for a claim that is in the queue. One after the other for each. */
  decide(place: Place, list: Queue, made?: bigint): Promise<'held' | 'queued' | 'refused'> {
    const decided = place.deciding.then(() => this.#decide(place, list, made))
    place.deciding = decided.catch(() => {})
    return decided
  }

  async #decide(place: Place, first: Queue, made?: bigint): Promise<'held' | 'queued' | 'refused'> {
    for (let list = first; ; list = await this.list(place.name)) {
      if (place.token !== undefined) return 'held'
      const { seats, stat } = list
      const at = list.at.get(place.node) ?? -1
      const own = seats[at]
      if (!own || place.unwanted) throw this.#gone(place)
      await this.#checkKind(place, list, own)
      const ahead = blockers(seats, at)
      if (ahead.length > 0) {
        if (!place.request.wait) return this.#refuse(place)
        if (await this.#watch(place, ahead)) return 'queued'
      } else if (made !== undefined && made === stat.pzxid) {
        // Nobody has come or left between the making of the node and the list: it has been held since it was made.
        return this.#hold(place, made, stat.version)
      } else if (await this.#confirm(place, stat.version)) {
        return 'held'
      }
    }
  }

  async #lineUp(place: Place): Promise<'held' | 'queued' | 'refused'> {
    const { node, parent } = this.#nodeOf(place)
    for (;;) {
      this.#options.parents.use(place.name, this.#options.clock.now())
      const making = this.#call(create({ ...node, path: `${parent}/${node.path}` }))
      // In the same round trip; if that fails, this does.
      const listing = this.list(place.name)
      listing.catch(() => {})
      const made = await this.#made(place, making, ({ path }) => path)
      if (made) return this.decide(place, await listing, made.stat.czxid)
      await this.#makeParent(place)
    }
  }

  /**
   * A thief's node comes before all others that are there, and in the same transaction it changes the version of the
   * parent, on which every grant after a wait depends: who did not hold when it came will not before it has left. Then
   * it deletes those who may have held. Nobody else can be granted meanwhile but another thief, who knows by the
   * version of the thief's node whether that work is done.
   */
  async #takeOver(place: Place): Promise<'held'> {
    const { node, parent } = this.#nodeOf(place)
    for (;;) {
      this.#options.parents.use(place.name, this.#options.clock.now())
      const steps = [
        { kind: 'create', node: { ...node, path: `${parent}/${node.path}` } },
        { kind: 'write', path: parent, data: empty },
      ] as const
      const making = this.#call(transaction(steps)).then(done)
      const listing = this.list(place.name)
      listing.catch(() => {})
      const made = await this.#made(place, making, ({ results }) => results[0]?.path)
      if (made) return this.#rob(place, await listing, made.results[1]?.stat?.mzxid ?? 0n)
      await this.#makeParent(place)
    }
  }

  async #resumeTakeOver(place: Place): Promise<'held'> {
    if (place.token !== undefined) return 'held'
    const [own, list] = await Promise.all([this.#call(read(this.path(place))), this.list(place.name)])
    return this.#rob(place, list, own.stat.czxid)
  }

  async #rob(place: Place, list: Queue, czxid: bigint): Promise<'held'> {
    const { seats } = list
    const own = seats.find(({ node }) => node === place.node)
    // Otherwise another thief has been here since, and has taken over this one's work.
    if (own) {
      await this.#checkKind(place, list, own)
      const parent = this.#options.paths.parent(place.name)
      const busy = new Set<Seat>()
      for (const other of seats) {
        if (!other.thief || other.sequence >= own.sequence) continue
        const found = await unless(this.#call(read(`${parent}/${other.node}`)), undefined, code.noNode)
        if (found?.stat.version === 0) busy.add(other)
      }
      const robbed = victims(seats, own, (other) => busy.has(other))
      const work = robbed.map(({ node }) => unless(this.#call(remove(`${parent}/${node}`)), undefined, code.noNode))
      const mark = this.#call(write(this.path(place), this.#options.data(place.name)))
      await Promise.all([...work, unless(mark, undefined, code.noNode)])
    }
    return this.#hold(place, czxid, list.stat.version)
  }

  /** A written sign that it is held, unless a thief has come since the list; the token is this write. */
  async #confirm(place: Place, version: number): Promise<boolean> {
    const { paths, data } = this.#options
    const outcome = await this.#call(
      transaction([
        { kind: 'check', path: paths.parent(place.name), version },
        { kind: 'write', path: this.path(place), data: data(place.name) },
      ]),
    ).catch((error: unknown) => {
      if (error instanceof Refusal) return { error: error.code, results: [] }
      throw error
    })
    if (outcome.error === 0) this.#hold(place, outcome.results[1]?.stat?.mzxid ?? 0n, version)
    else if (outcome.error !== code.badVersion && outcome.error !== code.noNode) throw new Refusal(outcome.error)
    return outcome.error === 0
  }

  #hold(place: Place, zxid: bigint, version: number): 'held' {
    this.#unwatch(place)
    place.token = tokenOf(zxid)
    place.version = version
    return 'held'
  }

  /** False: one of them is gone already. */
  async #watch(place: Place, ahead: readonly Seat[]): Promise<boolean> {
    const parent = this.#options.paths.parent(place.name)
    const paths = ahead.map(({ node }) => `${parent}/${node}`)
    this.#unwatch(place, paths)
    place.watching = paths
    const there = await Promise.all(paths.map((path) => this.#options.watches.on(path, place.wake)))
    return there.every(Boolean)
  }

  #unwatch(place: Place, except: readonly string[] = []): void {
    for (const path of place.watching) if (!except.includes(path)) this.#options.watches.off(path, place.wake)
    place.watching = []
  }

  async #refuse(place: Place): Promise<'refused'> {
    await this.leave(place)
    return 'refused'
  }

  async #checkKind(place: Place, { first }: Queue, own: Seat): Promise<void> {
    try {
      checkKind(place.name, place.request, first)
      if (own.sequence < lastSequence) return
    } catch (error) {
      await this.leave(place)
      throw error
    }
    await this.leave(place)
    await unless(this.#call(remove(this.#options.paths.parent(place.name))), undefined, code.notEmpty, code.noNode)
    throw unavailable('this name has no numbers left for its queue until the queue has been empty once')
  }

  /** By the mark in its name, where no answer told of it. */
  async #find(place: Place): Promise<void> {
    const list = await unless(this.list(place.name), undefined, code.noNode)
    place.node = list?.seats.find(({ mark }) => mark === place.mark)?.node
    place.doubtful = false
  }

  #gone(place: Place): Error {
    if (!place.unwanted) {
      this.#unwatch(place)
      place.node = undefined
    }
    return unavailable('the place in the queue was deleted')
  }

  /** Notes what the making of the node has come to; undefined where the parent was missing. */
  #made<T>(place: Place, making: Promise<T>, pathOf: (made: T) => string | undefined): Promise<T | undefined> {
    const made = unless(making, undefined, code.noNode).then(
      (answer) => {
        if (answer) place.node = pathOf(answer)?.slice(this.#options.paths.parent(place.name).length + 1)
        return answer
      },
      (error: unknown) => {
        if (failureOf(error).code === 'OUTCOME_UNKNOWN') place.doubtful = true
        throw error
      },
    )
    place.making = made.catch(() => {})
    return made
  }

  /** Calls about the name that come meanwhile must not overtake this one. */
  async #makeParent(place: Place): Promise<void> {
    const made = this.#options.parents.make(place.name)
    place.making = made.catch(() => {})
    this.#options.lanes.occupy([place.name], place.making)
    await made
    if (place.unwanted) throw this.#gone(place)
  }

  #nodeOf(place: Place): { readonly node: Node; readonly parent: string } {
    const { paths, acl, data } = this.#options
    const path = nodePrefix(place.request, place.mark)
    return {
      node: { path, data: data(place.name), acl, mode: 'ephemeral sequential' },
      parent: paths.parent(place.name),
    }
  }
}

function done(outcome: Outcome): Outcome {
  if (outcome.error !== 0) throw new Refusal(outcome.error)
  return outcome
}
