import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

interface Owned {
  /** The process, which leads a group of its own. */
  readonly owner: ChildProcess
  readonly pid: number
  readonly folder: string
}

/** Something that a process of its own has started. */
export async function ownedElsewhere(what: 'redis' | 'proxy'): Promise<Owned> {
  const program = fileURLToPath(new URL('./owner.ts', import.meta.url))
  const owner = spawn(process.execPath, [program, what], { detached: true, stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void owner.kill('SIGKILL'))
  const [line] = (await once(createInterface(owner.stdout), 'line')) as [string]
  return { owner, ...(JSON.parse(line) as { pid: number; folder: string }) }
}

export function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
