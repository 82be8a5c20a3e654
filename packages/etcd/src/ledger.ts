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
}

/** Whatever the store may have of a session. */
export class Ledger {
  readonly #lease: string
  readonly #lines = new Map<string, Line>()
  readonly #byWho = new Map<string, Line>()

  constructor(lease: string) {
    this.#lease = lease
  }

  asked(request: Claim & Contender): Line {
    const known = this.#lines.get(request.id)
    if (known && known.state !== 'stolen') return known
    const [name = ''] = request.names
    const line: Line = {
      claim: { id: request.id, names: request.names },
      name,
      kind: kindOf(request),
      who: whoOf(this.#lease, request.id),
      rank: holderRank(request),
      state: 'asked',
      created: undefined,
    }
    this.keep(line)
    return line
  }

  /** Found at the store. What nobody here knows any more goes by the public form of its id. */
  adopted(place: Place): Line {
    const known = this.#byWho.get(place.who)
    if (known) return known
    const { name, kind, who } = place
    const claim = { id: who, names: [name] }
    const line: Line = { claim, name, kind, who, rank: place.rank, state: 'asked', created: undefined }
    this.keep(line)
    return line
  }

  /** Also again, when an answer shows that the store may have it although it was removed. */
  keep(line: Line): void {
    this.#lines.set(line.claim.id, line)
    this.#byWho.set(line.who, line)
  }

  get(id: string): Line | undefined {
    return this.#lines.get(id) ?? this.#byWho.get(whoOf(this.#lease, id))
  }

  by(who: string): Line | undefined {
    return this.#byWho.get(who)
  }

  delete({ claim, who }: Line): void {
    this.#lines.delete(claim.id)
    this.#byWho.delete(who)
  }
}
