import { contest, timed, type Workload } from '../bench.ts'
import { Section } from '../section.ts'
import type { Locker, Release } from '../subjects/subject.ts'

const clients = 20
/** Every so many times somebody writes. */
const writes = 10

/** Shared readers with few writers on one name. A raw driver does as much on names that nobody else wants. */
export const readers: Workload = {
  name: 'readers',
  async measure(bench) {
    return [
      await contest(bench, {
        workload: 'readers',
        case: `${clients} clients, one in ${writes} writes`,
        unit: 'µs',
        needs: ['shared'],
        pace: bench.sizes.pace(8),
        place: { together: true },
        async prepare(locker, { kind }) {
          const section = new Section(clients)
          const run = async (cycles: number) => {
            await Promise.all(
              Array.from({ length: clients }, async (_, client) => {
                for (let cycle = 0; cycle < cycles / clients; cycle++) {
                  if (kind === 'floor') await (await locker.acquire(`reader ${client}`))()
                  else await use(locker, section, (client + cycle) % writes === 0)
                }
              }),
            )
          }
          return timed(bench.sizes, run, clients)
        },
      }),
    ]
  },
}

/** A writer is as many as all readers. */
async function use(locker: Locker, section: Section, writing: boolean): Promise<void> {
  const release = await (writing ? locker.acquire('read') : (locker.acquireShared?.('read') as Promise<Release>))
  const weight = writing ? clients : 1
  section.enter(weight)
  await Promise.resolve()
  section.leave(weight)
  await release()
}
