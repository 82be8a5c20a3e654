import { keyOf, type Contender } from '@locks/core/backend'

/** From where to where, `end` excluded. */
export interface Range {
  readonly key: Buffer
  readonly range_end: Buffer
}

/** Whoever is in the queue of a name: one that holds it alone, one that shares it with others, one that waits. */
export type Rank = '0' | '1' | '2'
export const ranks: readonly Rank[] = ['0', '1', '2']
export const holderRank = ({ mode }: Contender): Rank => (mode === 'exclusive' ? '0' : '1')

/** What the key of an entry says of it. */
export interface Place {
  /** As `keyOf` shortens it. */
  readonly name: string
  /** `lock`, or the limit of a semaphore. */
  readonly kind: string
  readonly rank: Rank
  /** The session's lease and the claim's number in it. */
  readonly who: string
}

/**
 * Where a namespace's entries are: `prefix/namespace/name/kind/rank/lease-number`. Names, namespaces and kinds are encoded
 * and hold no slash, so no name's range has a key of another's. A session's own keys are under `prefix/namespace/~/lease`,
 * behind all names.
 */
export class Keys {
  /** What all keys of the namespace begin with. */
  readonly namespace: string

  constructor(prefix: string, namespace: string) {
    this.namespace = `${prefix}/${keyOf(namespace)}/`
  }

  /** All names, and no session. */
  get names(): Range {
    return range(this.namespace, `${this.namespace}~`)
  }

  /** All entries of a name. */
  name(name: string): Range {
    return within(this.#name(name))
  }

  /** All entries of a name before those of its kind, and all behind them. */
  otherKinds(name: string, kind: string): readonly [Range, Range] {
    const start = this.#name(name)
    return [range(start, `${start}${kind}/`), range(`${start}${kind}0`, `${start.slice(0, -1)}0`)]
  }

  entry(name: string, { kind, rank, who }: Omit<Place, 'name'>): Buffer {
    return Buffer.from(`${this.#name(name)}${kind}/${rank}/${who}`)
  }

  /** Of those who hold a name, the ones that nobody of this mode can hold it beside. */
  conflicting(name: string, contender: Contender): Range {
    const start = `${this.#name(name)}${kindOf(contender)}/`
    return range(`${start}0/`, contender.mode === 'exclusive' ? `${start}2/` : `${start}1/`)
  }

  /** Whoever holds a name alone. */
  alone(name: string): Range {
    return this.conflicting(name, { mode: 'shared' })
  }

  /** A session's own key, and behind it what others have to tell it. */
  session(lease: string): Range {
    return range(`${this.namespace}~/${lease}`, `${this.namespace}~/${lease}0`)
  }

  /** Where a thief tells the session that it has robbed one of its entries. */
  marker(who: string): Buffer {
    return Buffer.from(`${this.namespace}~/${who.slice(0, who.indexOf('-'))}/${who}`)
  }

  /** The entry that a marker's key is about. */
  marked(key: Buffer): string | undefined {
    const [who, more] = key.toString().slice(`${this.namespace}~/`.length).split('/').slice(1)
    return more === undefined ? who : undefined
  }

  /** Undefined for keys that are none of an entry. */
  place(key: Buffer): Place | undefined {
    const text = key.toString()
    if (!text.startsWith(this.namespace)) return undefined
    const [name = '', kind = '', rank, who, more] = text.slice(this.namespace.length).split('/')
    if (who === undefined || more !== undefined || !ranks.includes(rank as Rank)) return undefined
    return { name, kind, rank: rank as Rank, who }
  }

  #name(name: string): string {
    return `${this.namespace}${keyOf(name)}/`
  }
}

export const kindOf = ({ mode, permits }: Contender): string => (mode === 'permit' ? String(permits ?? 1) : 'lock')

export const whoOf = (lease: string, number: number): string => `${lease}-${number}`

function range(from: string, to: string): Range {
  return { key: Buffer.from(from), range_end: Buffer.from(to) }
}

/** All that begins with a text that ends in a slash; `0` comes right behind the slash. */
const within = (start: string): Range => range(start, `${start.slice(0, -1)}0`)
