import type { Call } from './client.ts'
import { victims, type Seat } from './contenders.ts'
import { code, Refusal, unless } from './failures.ts'
import type { Nodes, Queue } from './nodes.ts'
import { read, remove, transaction, write, type Node, type Outcome } from './operations.ts'
import type { Place } from './place.ts'

export interface Theft {
  /** The transaction by which the thief holds the name. */
  readonly zxid: bigint
  /** The queue at that time, or later. */
  readonly list: Queue
}

const empty = Buffer.alloc(0)

/**
 * Taking a name by force. A thief's node comes before all others that are there, and in the same transaction it changes
 * the version of the parent, on which every grant after a wait depends: who did not hold when it came will not before it
 * has left. Then it deletes those who may have held. Nobody else can be granted meanwhile but another thief, who knows by
 * the version of the thief's node whether that work is done.
 */
export class Thefts {
  readonly #call: Call
  readonly #nodes: Nodes

  constructor(call: Call, nodes: Nodes) {
    this.#call = call
    this.#nodes = nodes
  }

  async begin(place: Place): Promise<Theft> {
    const parent = this.#nodes.parent(place)
    const send = (node: Node) =>
      this.#call(
        transaction([
          { kind: 'create', node },
          { kind: 'write', path: parent, data: empty },
        ]),
      ).then(done)
    const { made, list } = await this.#nodes.make(place, send, ({ results }) => results[0]?.path)
    return { zxid: made.results[1]?.stat?.mzxid ?? 0n, list }
  }

  /** It was begun, and an answer was lost. */
  async again(place: Place): Promise<Theft> {
    const [own, list] = await Promise.all([this.#call(read(this.#nodes.path(place))), this.#nodes.list(place.name)])
    return { zxid: own.stat.czxid, list }
  }

  async finish(place: Place, { seats, at }: Queue): Promise<void> {
    const own = seats[at.get(place.node) ?? -1]
    // Another thief has been here since, and has taken over this one's work.
    if (!own) return
    const parent = this.#nodes.parent(place)
    const atWork = new Set<Seat>()
    for (const other of seats) {
      if (!other.thief || other.sequence >= own.sequence) continue
      const found = await unless(this.#call(read(`${parent}/${other.node}`)), undefined, code.noNode)
      if (found?.stat.version === 0) atWork.add(other)
    }
    const robbed = victims(seats, own, (other) => atWork.has(other))
    const work = robbed.map(({ node }) => unless(this.#call(remove(`${parent}/${node}`)), undefined, code.noNode))
    const mark = this.#call(write(this.#nodes.path(place), this.#nodes.data(place)))
    await Promise.all([...work, unless(mark, undefined, code.noNode)])
  }
}

function done(outcome: Outcome): Outcome {
  if (outcome.error !== 0) throw new Refusal(outcome.error)
  return outcome
}
