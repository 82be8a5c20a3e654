import type { Values } from './spread.ts'

/** A subject at one workload. */
export interface Contestant {
  readonly name: string
  /** One round, and what it cost. */
  once(): Promise<number>
}

export interface Pace {
  /** For all contestants together. */
  readonly seconds: number
  readonly most: number
  /** Whether everybody runs for a third of its share first, which does not count: code that has run for long is faster. */
  readonly warm: boolean
}

export interface Samples {
  /** By contestant, one value a round. */
  readonly values: ReadonlyMap<string, Values>
  /** By contestant, why it could not go on. */
  readonly failed: ReadonlyMap<string, string>
}

/** A contestant's race so far. */
class Runner {
  readonly values: (number | undefined)[] = []
  readonly #contestant: Contestant
  #used = 0
  #failure: string | undefined

  constructor(contestant: Contestant) {
    this.#contestant = contestant
  }

  get name(): string {
    return this.#contestant.name
  }

  get failure(): string | undefined {
    return this.#failure
  }

  canGoOn(share: number): boolean {
    return this.#failure === undefined && this.#used < share
  }

  async run(): Promise<number | undefined> {
    const started = performance.now()
    try {
      return await this.#contestant.once()
    } catch (error) {
      this.#failure = error instanceof Error ? error.message : String(error)
      return undefined
    } finally {
      this.#used += performance.now() - started
    }
  }

  /** A subject that has had a round at all has a value, and be it the one that was to warm it up. */
  async warmUp(share: number): Promise<void> {
    let value
    do value = await this.run()
    while (this.canGoOn(share / 3))
    if (!this.canGoOn(share)) this.values.push(value)
  }
}

/**
 * Rounds in which everybody runs once, in turns of who is first, so that whatever else the machine does falls on all of
 * them. Whoever has used up its share of the time sits the others out.
 */
export async function interleave(contestants: readonly Contestant[], pace: Pace): Promise<Samples> {
  const share = (pace.seconds * 1_000) / Math.max(1, contestants.length)
  const runners = contestants.map((each) => new Runner(each))
  if (pace.warm) for (const runner of runners) await runner.warmUp(share)
  for (let round = 0; round < pace.most; round++) {
    const first = round % Math.max(1, runners.length)
    const left = [...runners.slice(first), ...runners.slice(0, first)]
    const going = left.filter((runner) =>
      round === 0 ? runner.values.length === 0 && !runner.failure : runner.canGoOn(share),
    )
    if (going.length === 0) break
    for (const runner of going) runner.values[round] = await runner.run()
  }
  const rounds = Math.max(0, ...runners.map(({ values }) => values.length))
  const filled = (values: Values) => Array.from({ length: rounds }, (_, round) => values[round])
  return {
    values: new Map(runners.map(({ name, values }) => [name, filled(values)])),
    failed: new Map(runners.flatMap(({ name, failure }) => (failure === undefined ? [] : [[name, failure]]))),
  }
}
