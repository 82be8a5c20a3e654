import { randomBytes } from 'node:crypto'

/** The only way in which chance enters core and the adapters. */
export interface Random {
  /** A secret of at least 128 bits in `[A-Za-z0-9_-]`, never given twice. */
  id(): string
  /** A number from 0 (included) to 1 (excluded), for jitter. */
  unit(): number
}

const idLength = 22
const poolBytes = 12_288

let pool = ''
let used = 0

export const systemRandom: Random = {
  id() {
    // One draw for some seven hundred ids: the system call costs more than all else in an acquire.
    if (used + idLength > pool.length) {
      pool = randomBytes(poolBytes).toString('base64url')
      used = 0
    }
    used += idLength
    return pool.slice(used - idLength, used)
  },
  unit: Math.random,
}
