/** Prints, as JSON, what an uncontended acquire + release costs on the memory backend, in units of async-mutex's. */
import { Mutex } from 'async-mutex'
import { LockManager } from '@locks/core'
import { memory } from '@locks/core/memory'

const rounds = 15
const cycles = 60_000

const locks = new LockManager(memory())
await locks.connect()
const mutex = new Mutex()

async function ours(): Promise<void> {
  for (let done = 0; done < cycles; done++) {
    const lock = await locks.acquire('name')
    await lock.release()
  }
}

async function theirs(): Promise<void> {
  for (let done = 0; done < cycles; done++) {
    const release = await mutex.acquire()
    release()
  }
}

interface Cost {
  readonly wall: number
  readonly cpu: number
}

async function measure(work: () => Promise<void>): Promise<Cost> {
  const started = performance.now()
  const used = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(used)
  return { wall: performance.now() - started, cpu: user + system }
}

await ours()
await theirs()
const ratios: Cost[] = []
const least = { own: Number.POSITIVE_INFINITY, other: Number.POSITIVE_INFINITY }
// Interleaved, so that whatever else the machine does falls on both.
for (let round = 0; round < rounds; round++) {
  const [own, other] = [await measure(ours), await measure(theirs)]
  least.own = Math.min(least.own, own.cpu)
  least.other = Math.min(least.other, other.cpu)
  ratios.push({ wall: own.wall / other.wall, cpu: own.cpu / other.cpu })
}
const spread = (of: keyof Cost) => {
  const sorted = ratios.map((ratio) => ratio[of]).toSorted((a, b) => a - b)
  const at = (share: number) => Number(sorted[Math.floor(share * (rounds - 1))]?.toFixed(2))
  return { median: at(0.5), p10: at(0.1), p90: at(0.9) }
}
// What disturbs a round only adds to it: the best of each are what the two cost by themselves.
console.log(JSON.stringify({ least: least.own / least.other, cpu: spread('cpu'), wall: spread('wall') }))
await locks.close()
