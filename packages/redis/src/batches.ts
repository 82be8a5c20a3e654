import type { Claim } from '@locks/core/backend'
import type { Keys } from './keys.ts'

/** So many at once: nobody else is served while a script runs, and Lua takes some thousand arguments only. */
const mostClaims = 600

/** Claims that go into one call of a script. */
export class Batch {
  readonly names: string[] = []
  readonly keys: string[] = []
  /** How many ids a key has, and the ids, for each key. */
  readonly args: (string | number)[] = []
  /** In the order of the args. */
  readonly ids: string[] = []

  get isFull(): boolean {
    return this.ids.length >= mostClaims
  }

  /** As many of these claims of one name as there is room for; how many. */
  add(name: string, key: string, ids: readonly string[], from: number): number {
    const count = Math.min(ids.length - from, mostClaims - this.ids.length)
    this.names.push(name)
    this.keys.push(key)
    this.args.push(count)
    for (let at = from; at < from + count; at++) {
      this.args.push(ids[at] as string)
      this.ids.push(ids[at] as string)
    }
    return count
  }

  /** The same, a name each. */
  split(): Batch[] {
    let from = 0
    return this.names.map((name, nth) => {
      const count = Number(this.args[from + nth])
      const batch = new Batch()
      from += batch.add(name, this.keys[nth] as string, this.ids.slice(from, from + count), 0)
      return batch
    })
  }
}

/** A batch has keys of one slot only: of all names where there is one server, else of one name. */
export function batches(claims: readonly Claim[], keys: Keys, oneSlot: boolean): Batch[] {
  const made: Batch[] = []
  let open: Batch | undefined
  for (const [name, ids] of byName(claims)) {
    const key = keys.key(name)
    for (let at = 0; at < ids.length;) {
      if (!open || open.isFull) made.push((open = new Batch()))
      at += open.add(name, key, ids, at)
    }
    if (!oneSlot) open = undefined
  }
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

/** A list in parts of at most so many. */
export function parts<T>(all: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, at) => all.slice(at * size, (at + 1) * size))
}
