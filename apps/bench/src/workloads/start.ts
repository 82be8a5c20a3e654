import { spawn } from 'node:child_process'
import { once } from 'node:events'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { entrants, tableOf, ttl, type Bench, type Workload } from '../bench.ts'
import { interleave } from '../rounds.ts'
import type { Subject } from '../subjects/subject.ts'

const program = fileURLToPath(new URL('../first-lock.ts', import.meta.url))

/** From the start of a process to its first lock, with packages as they are published: built. */
export const start: Workload = {
  name: 'start',
  async measure(bench) {
    const entered = entrants(bench, [])
    const contestants = entered.able.map((subject) => ({
      name: subject.name,
      once: () => firstLock(bench, subject),
    }))
    const samples = await interleave(contestants, bench.sizes.pace(12, 15))
    const about = { workload: 'start', case: 'process start to first lock', unit: 'ms' } as const
    return [tableOf(bench, about, entered, samples)]
  },
}

async function firstLock({ backend, store }: Bench, { name: subject }: Subject): Promise<number> {
  const started = performance.now()
  const args = [
    '--disable-warning=ExperimentalWarning',
    program,
    JSON.stringify({ backend, subject, url: store.url, ttl }),
  ]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(child, 'exit')
  const first = await Promise.race([once(child.stdout, 'data').then(() => 'locked'), ended])
  const took = performance.now() - started
  await ended
  if (first !== 'locked') throw new Error('it ended before it had a lock')
  return took
}
