import { contest, type Bench, type Workload } from '../bench.ts'
import type { Table } from '../result.ts'
import { oursName } from '../subjects/ours.ts'
import type { Release } from '../subjects/subject.ts'
import { inWaves } from '../waves.ts'

const counts = [10, 100, 1_000, 10_000, 100_000]

/** What a lock costs as the names become more: all are taken, 64 at a time, and then all are given back. */
export const names: Workload = {
  name: 'names',
  async measure(bench) {
    // Whatever else there is of a backend has nothing to do with how many names there are.
    const subjects = bench.subjects.filter(({ name, kind }) => name === oursName || kind === 'floor')
    const tables: Table[] = []
    for (const count of counts) tables.push(await measureNames({ ...bench, subjects }, count))
    return tables
  },
}

function measureNames(bench: Bench, count: number): Promise<Table> {
  const size = bench.sizes.count(count)
  return contest(bench, {
    workload: 'names',
    case: `${count.toLocaleString('en')} names`,
    unit: 'µs',
    needs: count > 10_000 ? ['multitude'] : [],
    pace: bench.sizes.pace(5, 15),
    place: { together: true, ttl: 60_000 },
    async prepare(locker) {
      return async () => {
        const held: Release[] = []
        const started = performance.now()
        await inWaves(size, async (at) => void held.push(await locker.acquire(`name ${at}`)))
        await inWaves(size, async (at) => held[at]?.())
        return ((performance.now() - started) * 1_000) / size
      }
    },
  })
}
