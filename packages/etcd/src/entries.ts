import { granted, keyOf, type Contender, type Entry, type Instant, type Mode, type Request } from '@locks/core/backend'
import type { IKeyValue } from 'etcd3'
import type { Keys, Place } from './keys.ts'

/** Whose entries are made. */
export interface Owner {
  readonly clientId: string
  readonly owner: string
}

/** What is asked for, and what is kept beside it. */
export type Wanted = Contender & Pick<Request, 'value'>

/** The value beside an entry's key, as JSON; of other programs' making for all that is known. */
interface Value {
  readonly mode?: unknown
  readonly weight?: unknown
  readonly client?: unknown
  readonly owner?: unknown
  readonly since?: unknown
  /** The encoded name, where the key has only its hash. */
  readonly name?: unknown
  /** What its request wanted to be kept. */
  readonly value?: unknown
}

/** One entry as the store has it. */
export interface Found extends Contender {
  readonly place: Place
  /** Decimal. */
  readonly lease: string
  /** When it came to its place: the order of those who wait, and what a holder's token is made of. */
  readonly created: bigint
  readonly value: Value
}

/** Tokens leave room for ranges that fit between two revisions. */
export const tokenOf = (revision: bigint): bigint => revision * 1_024n
/** The revision at which a holder's key was made. */
export const revisionOf = (token: bigint): bigint => token / 1_024n

export function valueOf(name: string, wanted: Wanted, { clientId, owner }: Owner, now: Instant): Buffer {
  const { mode, weight, value } = wanted
  return Buffer.from(
    JSON.stringify({
      mode,
      ...(weight !== undefined && { weight }),
      client: clientId,
      owner,
      since: Math.floor(now.wall),
      ...(keyOf(name) !== name && { name }),
      ...(value !== undefined && { value }),
    } satisfies Value),
  )
}

const modes: readonly unknown[] = ['exclusive', 'shared', 'permit'] satisfies Mode[]

/** Undefined for keys that are none of an entry. */
export function foundIn(keys: Keys, kv: IKeyValue): Found | undefined {
  const place = keys.place(kv.key)
  if (!place) return undefined
  const value = parsed(kv.value)
  const semaphore = place.kind !== 'lock'
  return {
    place,
    lease: kv.lease,
    created: BigInt(kv.create_revision),
    value,
    // What cannot be understood shares with nobody.
    mode: semaphore ? 'permit' : modes.includes(value.mode) ? (value.mode as Mode) : 'exclusive',
    ...(semaphore && { permits: Number(place.kind), weight: Number(value.weight ?? 1) }),
  }
}

/** Those who hold and then those who wait, each in the order of their coming. */
export function sorted<T extends Found>(all: readonly T[]): T[] {
  return all.toSorted((a, b) => rankOf(a) - rankOf(b) || (a.created < b.created ? -1 : 1))
}

export const holds = ({ place }: Found): boolean => place.rank !== '2'

/**
 * The entries of one name or of many. Whoever waits and may hold is shown as a holder: the lock is its own and nobody
 * else's, though its token is not minted before it has confirmed that. Not so one with a value: nobody leads without a token.
 */
export function entriesOf(all: readonly Found[], name: string | undefined): Entry[] {
  const queues = Map.groupBy(all, ({ place }) => place.name)
  return [...queues.values()].flatMap((queue) => {
    const holders = new Set(granted(queue))
    return queue.flatMap((found) => {
      const known = name ?? nameOf(found)
      return known === undefined ? [] : [entryOf(found, known, holders.has(found))]
    })
  })
}

function entryOf(found: Found, name: string, holding: boolean): Entry {
  const { mode, permits, weight, value } = found
  const beside = typeof value.value === 'string' ? value.value : undefined
  return {
    name,
    mode,
    ...(mode === 'permit' && { permits, weight }),
    clientId: textOf(value.client),
    owner: textOf(value.owner),
    holds: holds(found) || (holding && beside === undefined),
    ...(holds(found) && { token: tokenOf(found.created) }),
    ...(typeof value.since === 'number' && { since: value.since }),
    ...(beside !== undefined && { value: beside }),
  }
}

/** The encoded name of an entry; undefined where only its hash is known. */
function nameOf({ place, value }: Found): string | undefined {
  if (!place.name.startsWith('_h')) return place.name
  return typeof value.name === 'string' && keyOf(value.name) === place.name ? value.name : undefined
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

const rankOf = (found: Found): number => (holds(found) ? 0 : 1)

function parsed(value: Buffer): Value {
  try {
    const found: unknown = JSON.parse(value.toString())
    return typeof found === 'object' && found !== null ? found : {}
  } catch {
    return {}
  }
}
