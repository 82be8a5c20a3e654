import type { WorkloadName } from '../names.ts'
import type { Table } from '../result.ts'
import type { Spread } from '../spread.ts'

/** What each workload is, for readers of the report. */
export const about: Readonly<Record<WorkloadName, { readonly title: string; readonly text: string }>> = {
  uncontended: {
    title: 'A free lock',
    text: 'Acquire and release, one at a time. The floor is the raw driver with the fewest commands that could do the job.',
  },
  'many-names': {
    title: '64 names at once',
    text: 'The cost of each of many acquires and releases that are under way together, of names that nobody else wants.',
  },
  'try-held': { title: 'A try on a held name', text: 'Another client holds it: the try is refused, again and again.' },
  'slow-network': {
    title: 'A slow network',
    text: 'A proxy adds latency each way and counts round trips. The time is that of an acquire and a release.',
  },
  handoff: {
    title: 'Handoff',
    text: 'From one holder’s release to the next one’s having the lock, the mean over a crowd. The floor is one word from process to process: a publish and its message (redis), a deletion, its watch event and a write (etcd, zookeeper), a notification and a statement (postgres). Those who poll are measured for five seconds a round where a crowd takes longer.',
  },
  readers: {
    title: 'Readers and few writers',
    text: '20 clients of one process on one name, one in ten times to write. The floor does as much on names that nobody else wants.',
  },
  semaphore: {
    title: 'A semaphore of 10',
    text: '1,000 waiters of one process. The floor does as much, ten at a time, on names that nobody else wants.',
  },
  names: {
    title: 'Many names',
    text: 'All names are taken, 64 at a time, and then all are given back: what each costs.',
  },
  held: {
    title: 'Holding',
    text: '10,000 locks held and nothing else: processor, heap after a collection, requests and round trips at the proxy, what is occupied at the server. Ours for a minute, others for 20 s.',
  },
  recovery: {
    title: 'After kill -9',
    text: 'A waiter waits until a holder that was killed is found to be gone. Those who do not renew by themselves have half their ttl left then.',
  },
  start: {
    title: 'Start',
    text: 'From the start of a process to its first lock, packages built as they are published.',
  },
  size: {
    title: 'Size',
    text: 'All of a package with what it depends on, but for the driver, in one file: minified and gzipped.',
  },
}

export const workloadsOf = (tables: readonly Table[]): readonly WorkloadName[] => [
  ...new Set(tables.map(({ workload }) => workload)),
]

/** Three digits. */
export function figure(value: number): string {
  if (value !== 0 && Math.abs(value) < 0.01) return value.toPrecision(1)
  if (Math.abs(value) >= 1_000) return Math.round(value).toLocaleString('en')
  return value.toFixed(Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2)
}

export function spread(value: (Pick<Spread, 'median'> & Partial<Spread>) | undefined): string {
  if (!value) return ''
  const { median, p10, p90, rounds = 1 } = value
  return rounds > 1 && p10 !== undefined && p90 !== undefined
    ? `${figure(median)} (${figure(p10)} to ${figure(p90)})`
    : figure(median)
}

export const facts = (counted: Readonly<Record<string, number>> | undefined): string =>
  Object.entries(counted ?? {})
    .map(([what, value]) => `${figure(value)} ${what}`)
    .join(', ')

/** The peers that cost less than ours, and by how much. */
export function peersThatWin(tables: readonly Table[]): readonly (readonly string[])[] {
  return tables.flatMap((table) =>
    table.rows
      .filter(({ kind, ours }) => kind === 'peer' && ours && ours.median > 1)
      .map(({ subject, ours }) => [
        subject,
        table.backend,
        `${about[table.workload].title}: ${table.case}`,
        spread(ours),
      ]),
  )
}
