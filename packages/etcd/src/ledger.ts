import type { Claim, Contender } from '@locks/core/backend'
import { holderRank, kindOf, whoOf, type Place, type Rank } from './keys.ts'

/** What a session wants or has of a name, and how much of that it knows. */
export interface Line {
  readonly claim: Claim
  /** The encoded name, or what its key says where more is not known. */
  readonly name: string
  readonly kind: string
  readonly who: string
  /** Of its place while it holds. */
  readonly rank: Rank
  /** `stolen`, `unwanted`: an answer that it was granted or queued may still be on its way, and comes too late. */
  state: 'asked' | 'queued' | 'granted' | 'stolen' | 'unwanted'
  /** When the entry came to its place in the store. */
  created: bigint | undefined
  /** The last revision of which a thief has said that it took away what stood here. */
  robbed: bigint
  /** Calls that may put it in the store or take it away, and have no answer that is the last word: see `Ledger.calling`. */
  open: number
}

/** Whether no call about it but the one that is under way was ever made: the store cannot have it yet. */
export const isNew = ({ created, open }: Line): boolean => created === undefined && open <= 1

/**
 * Whatever the store may have of a session. The places of what is gone are used again, for etcd remembers each key that
 * there ever was, until it is compacted, and looks at all of a name's when it looks for one.
 */
export class Ledger {
  readonly #lease: string
  readonly #lines = new Map<string, Line>()
  readonly #byWho = new Map<string, Line>()
  /** Places that have been used and are free: there is nothing under them, and no call that could put something there. */
  readonly #free: string[] = []
  #places = 0

  constructor(lease: string) {
    this.#lease = lease
  }

  asked(request: Claim & Contender): Line {
    const known = this.#lines.get(request.id)
    if (known && known.state !== 'stolen') return known
    if (known) this.delete(known)
    const { id, names } = request
    const who = this.#free.pop() ?? whoOf(this.#lease, ++this.#places)
    return this.#add({ id, names }, { name: names[0] ?? '', kind: kindOf(request), rank: holderRank(request), who }, 0)
  }

  /** Found at the store. What nobody here knows goes by its place; undefined: it is gone by now. */
  adopted(place: Place): Line | undefined {
    const { name, who } = place
    const known = this.#byWho.get(who)
    return known ?? (this.#free.includes(who) ? undefined : this.#add({ id: who, names: [name] }, place, 1))
  }

  get(id: string): Line | undefined {
    return this.#lines.get(id)
  }

  by(who: string): Line | undefined {
    return this.#byWho.get(who)
  }

  /**
   * Makes a call that may put a line in the store or take it away. Its answer is the last word if no other such call was
   * under way; a call that has failed is for ever.
   */
  async calling<T>(line: Line, call: () => Promise<T>): Promise<T> {
    const alone = ++line.open === 1
    const answer = await call()
    if (alone) line.open--
    return answer
  }

  /** The store does not have it. Of one that it may yet have, by a call without an answer, nothing is forgotten. */
  delete(line: Line): void {
    const { claim, who, open } = line
    if (open > 0 || this.#byWho.get(who) !== line) return
    if (this.#lines.get(claim.id) === line) this.#lines.delete(claim.id)
    this.#byWho.delete(who)
    this.#free.push(who)
  }

  #add(claim: Claim, { name, kind, rank, who }: Place, open: number): Line {
    const line: Line = { claim, name, kind, rank, who, state: 'asked', created: undefined, robbed: 0n, open }
    this.#lines.set(claim.id, line)
    this.#byWho.set(who, line)
    return line
  }
}
