/** Draws that are the same for the same seed. */
export class Chance {
  #state: number

  constructor(...seeds: readonly number[]) {
    this.#state = seeds.reduce((state, seed) => Math.imul(state ^ seed, 0x9e3779b1) ^ (state >>> 15), 0x2545f491)
    this.unit()
  }

  /** From 0 (included) to 1 (excluded). */
  unit(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  between(from: number, to: number): number {
    return from + this.unit() * (to - from)
  }

  oneOf<T>(list: readonly T[]): T {
    return list[Math.floor(this.unit() * list.length)] as T
  }

  /** So many different ones of them, in their order. */
  several<T>(list: readonly T[], count: number): T[] {
    const drawn = list.map((_, at) => ({ at, by: this.unit() })).toSorted((a, b) => a.by - b.by)
    const chosen = new Set(drawn.slice(0, count).map(({ at }) => at))
    return list.filter((_, at) => chosen.has(at))
  }

  /** One of them, as often as its weight says. */
  weighted<T>(list: readonly (readonly [weight: number, value: T])[]): T {
    let left = this.unit() * list.reduce((sum, [weight]) => sum + weight, 0)
    return (list.find(([weight]) => (left -= weight) < 0) ?? (list.at(-1) as readonly [number, T]))[1]
  }
}
