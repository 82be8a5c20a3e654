import { blockers, checkKind } from '@locks/core/backend'
import type { Call } from './client.ts'
import type { Seat } from './contenders.ts'
import { code, Refusal, unavailable, unless } from './failures.ts'
import type { Nodes, Queue } from './nodes.ts'
import { create, remove, transaction } from './operations.ts'
import { nothing, type Place } from './place.ts'
import { Thefts } from './thefts.ts'
import { tokenOf } from './tokens.ts'
import type { Watches } from './watches.ts'

export type Outcome = 'held' | 'queued' | 'refused'

/** The servers number the children of a node up to 2^31 - 1, and then give the last number again and again. */
const lastSequence = 2 ** 31 - 2 ** 24

/**
 * The rules of the queues. A contender's node is made, and all that is decided afterwards follows from lists that are
 * newer than it: whoever is not ahead in one of them will never be, but for thieves.
 */
export class Queues {
  readonly #call: Call
  readonly #nodes: Nodes
  readonly #watches: Watches
  readonly #thefts: Thefts

  constructor(call: Call, nodes: Nodes, watches: Watches) {
    this.#call = call
    this.#nodes = nodes
    this.#watches = watches
    this.#thefts = new Thefts(call, nodes)
  }

  /** Takes the claim's place in the queue, or finds it there. */
  async enter(place: Place): Promise<Outcome> {
    // Its turn has come after its removal.
    if (place.unwanted) throw this.#gone(place)
    if (place.node === undefined && place.doubtful) await this.#nodes.find(place)
    if (place.request.steal) return this.#takeOver(place)
    if (place.node !== undefined) return this.decide(place, await this.#nodes.list(place.name))
    const { made, list } = await this.#nodes.make(
      place,
      (node) => this.#call(create(node)),
      ({ path }) => path,
    )
    return this.decide(place, list, made.stat.czxid)
  }

  /** Deletes the claim's node; whether there was one. */
  leave(place: Place): Promise<boolean> {
    this.#unwatch(place)
    return this.#nodes.remove(place)
  }

  /** What a list means for a claim that is in the queue. One after the other for each. */
  decide(place: Place, list: Queue, made?: bigint): Promise<Outcome> {
    const decided = (place.deciding ?? Promise.resolve()).then(() => this.#decide(place, list, made))
    const deciding = decided
      .catch(() => {})
      .then(() => {
        if (place.deciding === deciding) place.deciding = undefined
      })
    place.deciding = deciding
    return decided
  }

  async #decide(place: Place, first: Queue, made?: bigint): Promise<Outcome> {
    for (let list = first; ; list = await this.#nodes.list(place.name)) {
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
      } else if (made !== undefined && made === stat.pzxid && place.request.value === undefined) {
        // Nobody has come or left between the making of the node and the list: it has been held since it was made. Of a
        // leader others could not know that, who have to be shown its token.
        return this.#hold(place, made, stat.version)
      } else if (await this.#confirm(place, stat.version)) {
        return 'held'
      }
    }
  }

  async #takeOver(place: Place): Promise<Outcome> {
    if (place.token !== undefined) return 'held'
    const { zxid, list } = await (place.node === undefined ? this.#thefts.begin(place) : this.#thefts.again(place))
    const own = list.seats[list.at.get(place.node) ?? -1]
    if (own) await this.#checkKind(place, list, own)
    await this.#thefts.finish(place, list)
    return this.#hold(place, zxid, list.stat.version)
  }

  /** A written sign that it is held, unless a thief has come since the list; the token is this write. */
  async #confirm(place: Place, version: number): Promise<boolean> {
    const { error, results } = await this.#call(
      transaction([
        { kind: 'check', path: this.#nodes.parent(place), version },
        { kind: 'write', path: this.#nodes.path(place), data: this.#nodes.data(place) },
      ]),
    ).catch((thrown: unknown) => {
      if (thrown instanceof Refusal) return { error: thrown.code, results: [] }
      throw thrown
    })
    if (error === 0) this.#hold(place, results[1]?.stat?.mzxid ?? 0n, version)
    else if (error !== code.badVersion && error !== code.noNode) throw new Refusal(error)
    return error === 0
  }

  #hold(place: Place, zxid: bigint, version: number): 'held' {
    this.#unwatch(place)
    place.token = tokenOf(zxid)
    place.version = version
    return 'held'
  }

  /** False: one of them is gone already. */
  async #watch(place: Place, ahead: readonly Seat[]): Promise<boolean> {
    const paths = ahead.map(({ node }) => `${this.#nodes.parent(place)}/${node}`)
    this.#unwatch(place, paths)
    place.watching = paths
    const there = await Promise.all(paths.map((path) => this.#watches.on(path, place)))
    return there.every(Boolean)
  }

  #unwatch(place: Place, except: readonly string[] = []): void {
    for (const path of place.watching) if (!except.includes(path)) this.#watches.off(path, place)
    place.watching = nothing
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
    await unless(this.#call(remove(this.#nodes.parent(place))), undefined, code.notEmpty, code.noNode)
    throw unavailable('this name has no numbers left for its queue until the queue has been empty once')
  }

  #gone(place: Place): Error {
    if (!place.unwanted) {
      this.#unwatch(place)
      place.node = undefined
    }
    return unavailable('the place in the queue was deleted')
  }
}
