/** A thread that writes to a fenced stock as fast as it can, with every `step`th token; tells how often it could. */
import { parentPort, workerData } from 'node:worker_threads'
import { StaleTokenError, Stock } from '../src/stock.ts'

const { folder, first, step, times } = workerData as { folder: string; first: number; step: number; times: number }
const stock = new Stock(folder, { fenced: true })
let accepted = 0
for (let n = 0; n < times; n++) {
  try {
    stock.write(0, { unit: n, seller: String(first) }, BigInt(first + n * step))
    accepted++
  } catch (error) {
    if (!(error instanceof StaleTokenError)) throw error
  }
}
parentPort?.postMessage(accepted)
