import type { Chance } from '../chance.ts'
import type { Crew } from '../crew/crew.ts'
import type { Ledger } from '../ledger.ts'
import type { Line } from './lines.ts'

/** Something that can go wrong. */
export interface Fault {
  readonly kind: string
  /** Between how many ttls it lasts. */
  readonly lasts: readonly [from: number, to: number]
  /** Whether two may believe in one lock for it, because it breaks what the store's exclusion in time stands on. */
  readonly breaks?: boolean
  /** Whether the store may give tokens again that it has given. */
  readonly forgets?: boolean
  /** How often it is drawn; 1 unless said otherwise. */
  readonly weight?: number
  /** Undefined if there is nobody at the moment whom it could befall. */
  inflict(field: Field, chance: Chance): Promise<Inflicted | undefined>
}

interface Inflicted {
  readonly target: string
  /** Absent: nothing is left to heal. Resolves once it is over, however long that takes. */
  readonly heal?: () => Promise<void>
  /** Whether nothing can be granted to anybody, from now on until it heals. */
  readonly refuses?: boolean
}

/** Where it happens. */
export interface Field {
  readonly crew: Crew
  readonly ledger: Ledger
  readonly ttl: number
  /** Each client's ways to the store, by its place: several where it has several that know nothing of each other. */
  readonly lines: ReadonlyMap<number, readonly Line[]>
}
