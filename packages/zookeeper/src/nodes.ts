import type { Clock, Lanes, Request } from '@locks/core/backend'
import type { Stat } from './answer.ts'
import type { Call } from './client.ts'
import { firstOf, nodePrefix, queueOf, type Seat } from './contenders.ts'
import { code, failureOf, isRefusal, unavailable, unless } from './failures.ts'
import { children, remove, type Acl, type Node } from './operations.ts'
import type { Parents } from './parents.ts'
import type { Paths } from './paths.ts'
import type { Place } from './place.ts'

export interface NodesOptions {
  readonly call: Call
  readonly clock: Clock
  readonly lanes: Lanes
  readonly paths: Paths
  readonly parents: Parents
  readonly acl: readonly Acl[]
  /** What the node of a claim holds. */
  readonly data: (request: Request) => Buffer
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

/** The nodes of this session's places, made and found and deleted over lost answers and missing parents. */
export class Nodes {
  readonly #options: NodesOptions
  readonly #lists = new Map<string, Promise<Queue>>()

  constructor(options: NodesOptions) {
    this.#options = options
  }

  parent({ name }: Place): string {
    return this.#options.paths.parent(name)
  }

  path(place: Place): string {
    return `${this.parent(place)}/${place.node}`
  }

  data({ request }: Place): Buffer {
    return this.#options.data(request)
  }

  /** One list serves all who ask for it in one go of the event loop: it leaves behind whatever they have sent. */
  list(name: string): Promise<Queue> {
    const pending = this.#lists.get(name)
    if (pending) return pending
    const list = Promise.resolve().then(async () => {
      this.#lists.delete(name)
      const { names, stat } = await this.#options.call(children(this.#options.paths.parent(name)))
      const seats = queueOf(names)
      return { seats, at: new Map(seats.map(({ node }, at) => [node, at])), first: firstOf(seats), stat }
    })
    this.#lists.set(name, list)
    return list
  }

  /** Makes a place's node, and its parent where that is missing; `list` is newer than the node. */
  async make<T>(
    place: Place,
    send: (node: Node) => Promise<T>,
    pathOf: (made: T) => string | undefined,
  ): Promise<{ readonly made: T; readonly list: Queue }> {
    const { parents, clock, acl } = this.#options
    const path = `${this.parent(place)}/${nodePrefix(place.request, place.mark)}`
    const node: Node = { path, data: this.data(place), acl, mode: 'ephemeral sequential' }
    for (;;) {
      if (place.unwanted) throw unavailable('the place in the queue is not wanted any more')
      parents.use(place.name, clock.now())
      const making = this.#made(place, send(node), pathOf)
      place.making = making.catch(() => {})
      // In the same round trip; if that fails, this does.
      const list = this.list(place.name)
      list.catch(() => {})
      const made = await making
      if (made) return { made, list: await list }
      await this.#makeParent(place)
    }
  }

  /** By the mark in its name, where no answer told of it. */
  async find(place: Place): Promise<void> {
    const list = await unless(this.list(place.name), undefined, code.noNode)
    place.node = list?.seats.find(({ mark }) => mark === place.mark)?.node
    place.doubtful = false
  }

  /** Whether there was one. */
  async remove(place: Place): Promise<boolean> {
    // Its answer may be on its way. If it is not, the removal leaves at once, before what is asked for next.
    if (place.making) await place.making
    if (place.node === undefined && place.doubtful) await this.find(place)
    if (place.node === undefined) return false
    const removal = this.#options.call(remove(this.path(place))).then(() => true)
    const found = await unless(removal, false, code.noNode)
    place.node = undefined
    return found
  }

  /** Notes what the making of the node has come to; undefined where the parent was missing. */
  async #made<T>(place: Place, making: Promise<T>, pathOf: (made: T) => string | undefined): Promise<T | undefined> {
    try {
      const made = await making
      place.node = pathOf(made)?.slice(this.parent(place).length + 1)
      return made
    } catch (error) {
      if (isRefusal(error, code.noNode)) return undefined
      if (failureOf(error).code === 'OUTCOME_UNKNOWN') place.doubtful = true
      throw error
    } finally {
      place.making = undefined
    }
  }

  /** Calls about the name that come meanwhile must not overtake this one. */
  async #makeParent(place: Place): Promise<void> {
    const made = this.#options.parents.make(place.name)
    place.making = made.catch(() => {})
    this.#options.lanes.occupy([place.name], place.making)
    await made
  }
}
