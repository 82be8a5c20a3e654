/** Prints, as JSON, what an uncontended acquire + release costs on the memory backend, in units of async-mutex's. */
import { Mutex } from 'async-mutex'
import { LockManager } from '@locks/core'
import { memory } from '@locks/core/memory'

const rounds = 30
const cycles = 10_000

const locks = new LockManager(memory())
await locks.connect()
const mutex = new Mutex()

async function ours(): Promise<number> {
  const started = performance.now()
  for (let done = 0; done < cycles; done++) {
    const lock = await locks.acquire('name')
    await lock.release()
  }
  return performance.now() - started
}

async function theirs(): Promise<number> {
  const started = performance.now()
  for (let done = 0; done < cycles; done++) {
    const release = await mutex.acquire()
    release()
  }
  return performance.now() - started
}

await ours()
await theirs()
const ratios: number[] = []
// Interleaved, so that whatever else the machine does falls on both.
for (let round = 0; round < rounds; round++) ratios.push((await ours()) / (await theirs()))
ratios.sort((a, b) => a - b)
const at = (share: number) => Number(ratios[Math.floor(share * (rounds - 1))]?.toFixed(2))
console.log(JSON.stringify({ median: at(0.5), p10: at(0.1), p90: at(0.9) }))
await locks.close()
