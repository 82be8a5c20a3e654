import { contest, timed, type Workload } from '../bench.ts'

/** It outlasts the contest, also of those who do not renew. */
const ttl = 60_000

/** A try on a name that another client holds: refused, again and again. */
export const tryHeld: Workload = {
  name: 'try-held',
  async measure(bench) {
    const ends: (() => Promise<unknown>)[] = []
    const table = await contest(bench, {
      workload: 'try-held',
      case: 'held by another client',
      unit: 'µs',
      needs: ['try'],
      pace: bench.sizes.pace(9),
      place: { ttl },
      async prepare(locker, subject) {
        const holder = await subject.open({ url: bench.store.url, ttl })
        const name = `held by ${subject.name}`
        const release = await holder.acquire(name)
        ends.push(async () => {
          await release()
          await holder.close()
        })
        return timed(bench.sizes, async (cycles) => {
          for (let done = 0; done < cycles; done++) {
            if ((await locker.tryAcquire?.(name)) !== null) throw new Error('did not exclude')
          }
        })
      },
    })
    await Promise.all(ends.map((end) => end()))
    return [table]
  },
}
