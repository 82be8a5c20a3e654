import type { Claim } from '@locks/core/backend'
import type { Paths } from './paths.ts'
import type { Place } from './place.ts'

/** The places of a session, by their claims and by their nodes. */
export class Ledger {
  readonly #places = new Map<string, Place>()
  /** How many of each name. */
  readonly #names = new Map<string, number>()

  get(id: string): Place | undefined {
    return this.#places.get(id)
  }

  add(place: Place): void {
    this.#places.set(place.request.id, place)
    this.#names.set(place.name, (this.#names.get(place.name) ?? 0) + 1)
  }

  delete(place: Place): void {
    if (this.#places.get(place.request.id) !== place) return
    this.#places.delete(place.request.id)
    const left = (this.#names.get(place.name) ?? 1) - 1
    if (left > 0) this.#names.set(place.name, left)
    else this.#names.delete(place.name)
  }

  has(name: string): boolean {
    return this.#names.has(name)
  }

  [Symbol.iterator](): IterableIterator<Place> {
    return this.#places.values()
  }

  /** Those that wait, by name. */
  waiting(): Map<string, Place[]> {
    const waiting = new Map<string, Place[]>()
    for (const place of this) {
      if (!place.waits) continue
      const others = waiting.get(place.name)
      if (others) others.push(place)
      else waiting.set(place.name, [place])
    }
    return waiting
  }

  /** What the nodes at these paths are claims of; of an unknown one, its path is the id. */
  claims(nodes: readonly string[], paths: Paths): Claim[] {
    const known = new Map<string, Place>()
    for (const place of this)
      if (place.node !== undefined) known.set(`${paths.parent(place.name)}/${place.node}`, place)
    return nodes.flatMap((path): Claim[] => {
      const place = known.get(path)
      if (place) return [place.request]
      const name = path.slice(paths.namespace.length + 1).split('/')[0] ?? ''
      return paths.isName(name) ? [{ id: path, names: [name] }] : []
    })
  }
}
