import { contest, timed, type Bench, type Workload } from '../bench.ts'
import type { Table } from '../result.ts'
import type { Locker } from '../subjects/subject.ts'

/** One lock after the other, each free. */
export const uncontended: Workload = {
  name: 'uncontended',
  async measure(bench) {
    return [
      await contest(bench, {
        workload: 'uncontended',
        case: 'one at a time',
        unit: 'µs',
        needs: [],
        pace: bench.sizes.pace(24),
        async prepare(locker) {
          return timed(bench.sizes, (cycles) => inTurn(locker, 'free', cycles))
        },
      }),
    ]
  },
}

const width = 64

/** As many names at once, each free. */
export const manyNames: Workload = {
  name: 'many-names',
  async measure(bench: Bench): Promise<readonly Table[]> {
    return [
      await contest(bench, {
        workload: 'many-names',
        case: `${width} names at once`,
        unit: 'µs',
        needs: [],
        pace: bench.sizes.pace(24),
        place: { together: true },
        async prepare(locker) {
          const names = Array.from({ length: width }, (_, at) => `at once ${at}`)
          const run = (cycles: number) => Promise.all(names.map((name) => inTurn(locker, name, cycles / width)))
          return timed(bench.sizes, run, width)
        },
      }),
    ]
  },
}

async function inTurn(locker: Locker, name: string, cycles: number): Promise<void> {
  for (let done = 0; done < cycles; done++) {
    const release = await locker.acquire(name)
    await release()
  }
}
