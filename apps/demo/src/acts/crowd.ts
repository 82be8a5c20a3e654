import type { Stage } from '../stage.ts'

const processes = 8
const sales = 25
const think = 10

/**
 * Many processes sell at once. Each reads, thinks and writes 25 times; together they think for 2 s. Without a lock
 * they are done in a fraction of that, so they must have thought at the same time, about the same unit.
 */
export async function crowd(stage: Stage, locked: boolean): Promise<void> {
  const sellers = await stage.hire(processes, { locked, sales, think })
  for (const seller of sellers) seller.go()
  await Promise.all(sellers.map((seller) => seller.first('done')))
}

export const story = `${processes} processes sell ${sales} units each: read the stock, think for ${think} ms, write it.`
