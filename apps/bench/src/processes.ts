import { spawn } from 'node:child_process'
import { once } from 'node:events'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Assignment, Report } from './measure.ts'

const program = fileURLToPath(new URL('./measure.ts', import.meta.url))
const flags = ['--conditions=@locks/source', '--disable-warning=ExperimentalWarning', '--disable-warning=LocksWarning']

/** Has one backend measured in a process of its own. */
export async function measureApart(assignment: Assignment, heard: (report: Report) => void): Promise<void> {
  const child = spawn(process.execPath, [...flags, program, JSON.stringify(assignment)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  for await (const line of createInterface({ input: child.stdout })) heard(JSON.parse(line) as Report)
  const [code] = (await ended) as [number | null]
  if (code !== 0) heard({ said: 'failure', failure: `${assignment.backend}: its process ended with ${code}` })
}

/** `dist` of all packages, which the workload `start` loads as their users do. */
export async function buildPackages(): Promise<void> {
  const child = spawn('turbo', ['run', 'build', '--output-logs=errors-only'], { stdio: ['ignore', 2, 2] })
  const [code] = (await once(child, 'exit')) as [number | null]
  if (code !== 0) throw new Error('the packages could not be built')
}
