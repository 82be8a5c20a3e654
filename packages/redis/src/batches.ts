import type { Claim } from '@locks/core/backend'
import type { Keys } from './keys.ts'

/** Claims that go into one call of a script. */
export interface Batch {
  readonly names: readonly string[]
  readonly keys: readonly string[]
  /** How many ids a key has, and the ids, for each key. */
  readonly args: readonly (string | number)[]
  /** In the order of the args. */
  readonly ids: readonly string[]
  /** The same, a name each. */
  split(): Batch[]
}

/** So many at once: nobody else is served while a script runs, and Lua takes some thousand arguments only. */
const mostClaims = 600

/** A batch has keys of one slot only: of all names where there is one server, else of one name. */
export function batches(claims: readonly Claim[], keys: Keys, oneSlot: boolean): Batch[] {
  const made: Batch[] = []
  let open = new Map<string, string[]>()
  let size = 0
  const flush = () => {
    if (size > 0) made.push(batchOf(open, keys))
    open = new Map()
    size = 0
  }
  for (const [name, ids] of byName(claims)) {
    for (let at = 0; at < ids.length;) {
      const part = ids.slice(at, at + mostClaims - size)
      open.set(name, part)
      size += part.length
      at += part.length
      if (size >= mostClaims) flush()
    }
    if (!oneSlot) flush()
  }
  flush()
  return made
}

function byName(claims: readonly Claim[]): Map<string, string[]> {
  const ids = new Map<string, string[]>()
  for (const { id, names } of claims) {
    const name = names[0] ?? ''
    const others = ids.get(name)
    if (others) others.push(id)
    else ids.set(name, [id])
  }
  return ids
}

function batchOf(ids: ReadonlyMap<string, readonly string[]>, keys: Keys): Batch {
  const names = [...ids.keys()]
  return {
    names,
    keys: names.map((name) => keys.key(name)),
    args: [...ids.values()].flatMap((each) => [each.length, ...each]),
    ids: [...ids.values()].flat(),
    split: () => [...ids].map((each) => batchOf(new Map([each]), keys)),
  }
}

/** A list in parts of at most so many. */
export function parts<T>(all: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, at) => all.slice(at * size, (at + 1) * size))
}
