/**
 * `node floor.ts PORT [ROUNDS [CYCLES]]`: prints, as JSON, what acquire + release of a free lock costs, in units of the
 * fewest operations of the bare driver that could do the job: create an ephemeral node, and remove it.
 */
import { LockManager } from '@locks/core'
import { zookeeper } from '@locks/zookeeper'
import { connectAdmin } from './admin.ts'

/** In one unit each: wall clock, and processor of this process. */
export interface Cost {
  readonly wall: number
  readonly cpu: number
}

export interface Figures {
  /** Of both, round by round. */
  readonly ratios: Record<keyof Cost, { readonly median: number; readonly p10: number; readonly p90: number }>
  /** Of the fastest rounds of each. */
  readonly best: Cost
  /** Microseconds, of the median round of each. */
  readonly ours: Cost
  readonly bare: Cost
}

const ttl = 10_000

async function main(port: number, rounds: number, cycles: number): Promise<Figures> {
  const client = await connectAdmin([port])
  const locks = new LockManager(zookeeper({ url: `zookeeper://127.0.0.1:${port}/locks` }), { ttl })
  await locks.connect()

  async function bare(): Promise<void> {
    for (let done = 0; done < cycles; done++) {
      await client.createEphemeral('/floor')
      await client.remove('/floor')
    }
  }

  async function ours(): Promise<void> {
    for (let done = 0; done < cycles; done++) {
      const lock = await locks.acquire('floor')
      if ((await lock.release()) !== 'released') throw new Error('it is not there')
    }
  }

  async function measure(work: () => Promise<void>): Promise<Cost> {
    const used = process.cpuUsage()
    const started = performance.now()
    await work()
    const wall = performance.now() - started
    const { user, system } = process.cpuUsage(used)
    return { wall: (wall * 1_000) / cycles, cpu: (user + system) / cycles }
  }

  const own: Cost[] = []
  const other: Cost[] = []
  await bare()
  await ours()
  // Interleaved, and each first in turn, so that whatever else the machine does falls on both.
  for (let round = 0; round < rounds; round++) {
    if (round % 2 === 0) other.push(await measure(bare))
    own.push(await measure(ours))
    if (round % 2 === 1) other.push(await measure(bare))
  }
  client.close()
  await locks.close()

  const ratiosOf = (of: keyof Cost) => {
    const ratios = sorted(own.map((cost, round) => cost[of] / (other[round]?.[of] ?? Number.NaN)))
    return { median: at(ratios, 0.5), p10: at(ratios, 0.1), p90: at(ratios, 0.9) }
  }
  const each = (share: number, costs: readonly Cost[], of: keyof Cost) =>
    at(sorted(costs.map((cost) => cost[of])), share)
  return {
    ratios: { wall: ratiosOf('wall'), cpu: ratiosOf('cpu') },
    best: {
      wall: each(0, own, 'wall') / each(0, other, 'wall'),
      cpu: each(0, own, 'cpu') / each(0, other, 'cpu'),
    },
    ours: { wall: each(0.5, own, 'wall'), cpu: each(0.5, own, 'cpu') },
    bare: { wall: each(0.5, other, 'wall'), cpu: each(0.5, other, 'cpu') },
  }
}

const sorted = (numbers: readonly number[]): number[] => numbers.toSorted((a, b) => a - b)
const at = (numbers: readonly number[], share: number): number =>
  numbers[Math.floor(share * (numbers.length - 1))] ?? Number.NaN

if (process.argv[1] === import.meta.filename) {
  const [port = '2181', rounds = '15', cycles = '500'] = process.argv.slice(2)
  const figures = await main(Number(port), Number(rounds), Number(cycles))
  console.log(JSON.stringify(figures, (_, value: unknown) => (typeof value === 'number' ? +value.toFixed(3) : value)))
}
