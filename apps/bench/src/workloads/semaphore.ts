import { contest, type Workload } from '../bench.ts'
import { Section } from '../section.ts'
import type { Release } from '../subjects/subject.ts'
import { inWaves } from '../waves.ts'

const permits = 10
const waiters = 1_000

/** A semaphore with a crowd before it. A raw driver does as much on names that nobody else wants. */
export const semaphore: Workload = {
  name: 'semaphore',
  async measure(bench) {
    const count = bench.sizes.quick ? 3 * permits : waiters
    return [
      await contest(bench, {
        workload: 'semaphore',
        case: `${permits} permits, ${waiters.toLocaleString('en')} waiters`,
        unit: 'µs',
        needs: ['permits'],
        pace: bench.sizes.pace(10, 15),
        place: { together: true },
        async prepare(locker, { kind }) {
          const section = new Section(permits)
          const use = async () => {
            const release = await (locker.acquirePermit?.('permits', permits) as Promise<Release>)
            section.enter()
            await Promise.resolve()
            section.leave()
            await release()
          }
          const raw = async (at: number) => (await locker.acquire(`permit ${at}`))()
          return async () => {
            const started = performance.now()
            await (kind === 'floor' ? inWaves(count, raw, permits) : inWaves(count, use, count))
            return ((performance.now() - started) * 1_000) / count
          }
        },
      }),
    ]
  },
}
