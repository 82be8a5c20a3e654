import { entrants, tableOf, ttl, type Bench, type Workload } from '../bench.ts'
import type { Table } from '../result.ts'
import { interleave, type Contestant } from '../rounds.ts'
import { spreadOf } from '../spread.ts'
import type { Locker, Subject } from '../subjects/subject.ts'

/** Milliseconds that the proxy adds each way. */
const delays = [1, 5, 20]

/** Where the network is slow, round trips decide; the proxy counts them. */
export const slowNetwork: Workload = {
  name: 'slow-network',
  networkOnly: true,
  async measure(bench) {
    const entered = entrants(bench, [])
    const runners: Runner[] = []
    for (const subject of entered.able) runners.push(await Runner.open(bench, subject))
    const tables: Table[] = []
    for (const ms of delays) {
      await Promise.all(runners.map((runner) => runner.slow(ms)))
      const samples = await interleave(runners, bench.sizes.pace(5, 11))
      const facts = new Map(runners.map((runner) => [runner.name, runner.takeCounts()]))
      const about = { workload: 'slow-network', case: `${ms} ms each way`, unit: 'ms' } as const
      tables.push(tableOf(bench, about, entered, samples, facts))
    }
    await Promise.all(runners.map((runner) => runner.end()))
    return tables
  },
}

type Line = Awaited<ReturnType<NonNullable<Bench['store']['line']>>>['line']

/** A subject behind a line of its own. */
class Runner implements Contestant {
  readonly name: string
  readonly #locker: Locker
  readonly #line: Line
  readonly #cycles: number
  #acquires: number[] = []
  #releases: number[] = []

  private constructor(name: string, locker: Locker, line: Line, cycles: number) {
    this.name = name
    this.#locker = locker
    this.#line = line
    this.#cycles = cycles
  }

  static async open({ store, sizes }: Bench, subject: Subject): Promise<Runner> {
    if (!store.line) throw new Error('there is no network')
    const { url, line } = await store.line()
    const locker = await subject.open({ url, ttl })
    // What is asked for the first time, such as a parent, may need more.
    await (
      await locker.acquire('slow')
    )()
    return new Runner(subject.name, locker, line, sizes.count(5))
  }

  slow(ms: number): Promise<void> {
    return this.#line.slow(ms)
  }

  /** Counting is between the calls, and not timed. */
  async once(): Promise<number> {
    const { wire } = this.#line
    let took = 0
    for (let cycle = 0; cycle < this.#cycles; cycle++) {
      const before = await wire.roundTrips()
      let started = performance.now()
      const release = await this.#locker.acquire('slow')
      took += performance.now() - started
      const between = await wire.roundTrips()
      started = performance.now()
      await release()
      took += performance.now() - started
      this.#acquires.push(between - before)
      this.#releases.push((await wire.roundTrips()) - between)
    }
    return took / this.#cycles
  }

  /** The medians: a sign of life may fall into one of many. */
  takeCounts(): Readonly<Record<string, number>> {
    const [acquires, releases] = [this.#acquires, this.#releases].map(
      (counts) => spreadOf(counts)?.median ?? Number.NaN,
    )
    this.#acquires = []
    this.#releases = []
    return { 'round trips to acquire': acquires as number, 'round trips to release': releases as number }
  }

  async end(): Promise<void> {
    await this.slow(0)
    await this.#locker.close()
    await this.#line.close()
  }
}
