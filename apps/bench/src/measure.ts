/**
 * `node measure.ts JSON`: measures workloads on one backend in a process of its own, and prints the tables, as a line of
 * JSON each.
 */
import { subscribe } from 'node:diagnostics_channel'
import process from 'node:process'
import type { Bench, Workload } from './bench.ts'
import type { BackendName, WorkloadName } from './names.ts'
import { fullSizes, quickSizes } from './sizes.ts'
import { startStore } from './stores.ts'
import { subjectsOf } from './subjects/index.ts'
import { workloads } from './workloads/index.ts'

/** What is measured by one process. */
export interface Assignment {
  readonly backend: BackendName
  readonly workloads: readonly WorkloadName[]
  readonly quick: boolean
}

/** What it says, line by line. */
export type Report =
  | { readonly said: 'table'; readonly table: Awaited<ReturnType<Workload['measure']>>[number] }
  | { readonly said: 'version'; readonly backend: BackendName; readonly version: string }
  | { readonly said: 'failure'; readonly failure: string }

const report = (line: Report) => console.log(JSON.stringify(line))

async function main({ backend, workloads: names, quick }: Assignment): Promise<void> {
  const store = await startStore(backend)
  const bench: Bench = { backend, store, subjects: await subjectsOf(backend), sizes: quick ? quickSizes : fullSizes }
  if (store.version) report({ said: 'version', backend, version: store.version })
  for (const workload of workloads) {
    if (!names.includes(workload.name) || (workload.networkOnly && !store.line)) continue
    const started = performance.now()
    try {
      for (const table of await workload.measure(bench)) report({ said: 'table', table })
    } catch (error) {
      report({ said: 'failure', failure: `${backend}, ${workload.name}: ${String(error)}` })
      console.error(error)
    }
    console.error(`${backend}, ${workload.name}: ${((performance.now() - started) / 1_000).toFixed(1)} s`)
  }
  await store.end()
}

subscribe('locks:warning', () => {})
// Every now and then a peer's timer throws what nobody can catch; the others go on.
process.on('unhandledRejection', (error) => console.error('unhandled:', error))
await main(JSON.parse(process.argv[2] ?? '') as Assignment)
process.exit()
