import type { Claim, Contender, Grant, Proof, Request } from '@locks/core/backend'
import type { Keys } from './keys.ts'

/** A claim of the session, as the server has it according to its last answer. */
export interface Line {
  readonly claim: Claim
  readonly contender: Contender
  readonly value: string | undefined
  /** The name as the rows have it, and the key that it shares with hardly any other. */
  readonly stored: string
  readonly key: bigint
  state: 'asked' | 'queued' | 'held'
  /** Whether it has a row: an exclusive lock has none when it is granted at once, until it has been held for a while. */
  row: boolean
  /** Whether it is about to get one. */
  registering: boolean
  token: bigint
  /** On the monotonic clock: before the request left that was granted. */
  grantedAt: number
  /** Under way. */
  asked: Promise<Grant | 'queued' | null> | undefined
  removal: Promise<boolean> | undefined
}

export type Claimed = Claim & Contender & Pick<Request, 'value'>

/** A claim that is about to be made. */
export function lineOf({ id, names, mode, permits, weight, value }: Claimed, keys: Keys): Line {
  const [name = ''] = names
  return {
    claim: { id, names },
    contender: { mode, permits, weight },
    value,
    stored: keys.stored(name),
    key: keys.key(name),
    state: 'asked',
    row: false,
    registering: false,
    token: 0n,
    grantedAt: 0,
    asked: undefined,
    removal: undefined,
  }
}

/** The session is one lease: its newest proof is good for all that it holds. */
export function grantOf({ claim, token }: Line, newest: Proof): Grant {
  return { id: claim.id, tokens: [token], proof: newest }
}

/** What the session has at the server. The server would not refuse it a lock that it has already: so it must know. */
export class Ledger {
  readonly #lines = new Map<string, Line>()
  readonly #byKey = new Map<bigint, Set<Line>>()

  add(line: Line): void {
    this.#lines.set(line.claim.id, line)
    const others = this.#byKey.get(line.key)
    if (others) others.add(line)
    else this.#byKey.set(line.key, new Set([line]))
  }

  get(id: string): Line | undefined {
    return this.#lines.get(id)
  }

  has(line: Line): boolean {
    return this.#lines.get(line.claim.id) === line
  }

  delete(line: Line): void {
    if (!this.has(line)) return
    this.#lines.delete(line.claim.id)
    const others = this.#byKey.get(line.key)
    others?.delete(line)
    if (others?.size === 0) this.#byKey.delete(line.key)
  }

  get all(): Iterable<Line> {
    return this.#lines.values()
  }

  at(key: bigint): Iterable<Line> {
    return this.#byKey.get(key) ?? []
  }

  /** Whether nothing but this line has ever been at the server under its key, as far as that is still so. */
  alone(line: Line): boolean {
    for (const other of this.at(line.key)) if (other !== line && other.state !== 'asked') return false
    return true
  }

  holdsAt(key: bigint): boolean {
    for (const { state } of this.at(key)) if (state === 'held') return true
    return false
  }

  /** Whether the session has an exclusive lock on a name, whatever the rows say of it. */
  holdsExclusively(key: bigint, stored: string): boolean {
    for (const line of this.at(key)) if (line.stored === stored && isExclusive(line)) return true
    return false
  }

  /** How many rows the server must have. */
  get rows(): number {
    let count = 0
    for (const line of this.#lines.values()) if (hasRow(line)) count++
    return count
  }
}

export const isExclusive = ({ state, contender }: Line): boolean => state === 'held' && contender.mode === 'exclusive'
export const isUnseen = ({ state, row }: Line): boolean => state === 'held' && !row
export const hasRow = ({ state, row }: Line): boolean => state === 'queued' || (state === 'held' && row)
