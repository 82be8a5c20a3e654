/** A thread that writes to a fenced stock as fast as it can, with every `step`th token; tells how often it could. */
import { parentPort, workerData } from 'node:worker_threads'
import { LockError } from '@locks/core'
import { Stock } from '../src/stock.ts'

const { folder, first, step, times } = workerData as { folder: string; first: number; step: number; times: number }
const stock = new Stock(folder, { fenced: true })
let accepted = 0
for (let n = 0; n < times; n++) {
  try {
    stock.write(0, { unit: n, seller: String(first) }, { token: BigInt(first + n * step), mode: 'exclusive' })
    accepted++
  } catch (error) {
    if (!LockError.is(error, 'LOST')) throw error
  }
}
parentPort?.postMessage(accepted)
