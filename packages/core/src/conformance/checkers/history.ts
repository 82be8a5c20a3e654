/**
 * What a history is made of: one record for each operation, hold and fault. As JSON lines it can be written by one
 * program and judged by another. All times are milliseconds on one clock, which all recording processes must share
 * (CLOCK_MONOTONIC, as `process.hrtime` reads it, is one for the processes of a machine).
 */
import type { Mode } from '../../queue.ts'

/**
 * `failed` is a claim: the operation had no effect, and will have none. Whoever cannot know that says `unknown`, as of
 * a call whose process died.
 */
type Outcome = 'ok' | 'failed' | 'unknown'

interface Operation {
  /** The number of the record, by which a finding names it. */
  readonly id: number
  /** Who did it: a name that is never used again once its process has died. */
  readonly client: string
  readonly invoked: number
  /** Null: no answer came before the history ended. */
  readonly completed: number | null
  readonly outcome: Outcome
}

/** One name that a call for a lock asked for. */
export interface Acquire extends Operation {
  readonly action: 'acquire'
  readonly name: string
  readonly mode: Mode
  readonly permits?: number | undefined
  readonly weight?: number | undefined
  readonly steal?: boolean | undefined
  /** Whether it would have waited for others. */
  readonly wait: boolean
  /** Whether it may stand in line behind others of its client, whose manager hands its locks over locally. */
  readonly inLine?: boolean | undefined
  /** When its client was told that it waits, at the store or in line. */
  readonly queued?: number | undefined
  /** If granted: in decimal, as all tokens here. */
  readonly token?: string | undefined
  /** Why it ended otherwise: the error's code, or `refused`, `aborted`. */
  readonly why?: string | undefined
  /** A campaign of the election of that name, with this record's `id` as its value. */
  readonly elects?: boolean | undefined
  /** Made to see whether the store serves again; it must be granted. */
  readonly probe?: boolean | undefined
}

/** What a holder saw of its own lock, at one moment. */
export interface Reading {
  readonly at: number
  readonly held: boolean
  readonly expiresAt: number
  /** The reading before this one, if nothing of the process has run in between but the code that reads. */
  readonly blocked?: { readonly at: number; readonly expiresAt: number } | undefined
}

/** For how long a client believed that it had a lock. */
export interface Hold {
  readonly id: number
  readonly action: 'hold'
  readonly client: string
  readonly name: string
  /** The `id` of the `Acquire` by which it has it. */
  readonly acquire: number
  readonly mode: Mode
  readonly permits?: number | undefined
  readonly weight?: number | undefined
  readonly token?: string | undefined
  /** When the grant was returned. */
  readonly from: number
  /** The last moment at which the lock said that it was held. */
  readonly until: number
  /** `died`: nothing is known of it after `until`. */
  readonly end: 'released' | 'lost' | 'died'
  /** When the store had confirmed, as far as is known, that it was gone. */
  readonly released?: number | undefined
  readonly readings: readonly Reading[]
}

/** One access to a resource that a lock protects. A `write` replaces what was there by `element` and all behind `base`. */
export interface Access extends Operation {
  readonly action: 'read' | 'write'
  readonly resource: string
  /** Whether the resource refuses old tokens. */
  readonly checked: boolean
  readonly mode: Mode
  readonly token?: string | undefined
  /** Of the hold under which it was done. */
  readonly acquire: number
  /** What a read found last written, or what a write stands on; null: nothing. */
  readonly base: string | null
  /** What a write adds: never the same twice. */
  readonly element?: string | undefined
}

/** What a resource has at the end: everything that is there, the last first, and how many writes it counted. */
export interface Final {
  readonly action: 'final'
  readonly resource: string
  readonly checked: boolean
  readonly elements: readonly string[]
  /** A number to which each write added one. */
  readonly count: number
}

/** Whom a query found to hold. */
export interface Sighting extends Operation {
  readonly action: 'query'
  readonly held: readonly { readonly name: string; readonly client: string; readonly token?: string | undefined }[]
}

/** A change of who leads, as an observer was told of it. */
export interface Observed {
  readonly action: 'observed'
  readonly client: string
  /** Of one client, a number for each reader of changes. */
  readonly observation: number
  readonly name: string
  readonly at: number
  /** The `id` of its campaign; null: nobody. */
  readonly leader: number | null
  readonly token?: string | undefined
}

/** A fault, for as long as it may have an effect. */
export interface Fault {
  readonly action: 'fault'
  readonly kind: string
  readonly target: string
  readonly from: number
  /** Null: it was never healed. */
  readonly until: number | null
  /** Whether it breaks what the store's exclusion in time stands on, so that two may believe in one lock. */
  readonly breaks: boolean
  /** Whether the store may go back behind tokens that it has given. */
  readonly forgets: boolean
}

/** From here on nothing disturbs the store, until `until`; and what was asked for by then has to end by `deadline`. */
export interface Heal {
  readonly action: 'heal'
  readonly at: number
  readonly until: number
  readonly deadline: number
}

export type HistoryRecord = Acquire | Hold | Access | Final | Sighting | Observed | Fault | Heal
export type History = readonly HistoryRecord[]

/** The records of one kind. */
export function only<A extends HistoryRecord['action']>(
  history: History,
  ...actions: readonly A[]
): Extract<HistoryRecord, { action: A }>[] {
  return history.filter((each): each is Extract<HistoryRecord, { action: A }> =>
    (actions as readonly string[]).includes(each.action),
  )
}

/** As `action: 'read' | 'write'` is one type, `only` cannot tell it apart. */
export function accesses(history: History): Access[] {
  return history.filter((each): each is Access => each.action === 'read' || each.action === 'write')
}
