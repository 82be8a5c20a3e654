import { existsSync, readdirSync, readFileSync } from 'node:fs'
import process from 'node:process'

/**
 * Sends a signal to a process of ours and to all that descend from it, in whatever groups and sessions they are: each
 * process of Postgres makes a session of its own. Returns whom it has reached.
 */
export function signalTree(root: number, signal: NodeJS.Signals): readonly number[] {
  // Whoever is to stop or die stands still while its children are looked for, so that none is born unseen.
  const first = signal === 'SIGKILL' ? 'SIGSTOP' : signal
  const reached = new Set<number>()
  for (let fresh = [root]; fresh.length > 0; fresh = descendantsOf(root).filter((pid) => !reached.has(pid))) {
    for (const pid of fresh) {
      send(pid, first)
      reached.add(pid)
    }
  }
  // Those of its group whose parent has ended are no descendants any more.
  send(-root, signal)
  if (first !== signal) for (const pid of reached) send(pid, signal)
  return [...reached]
}

/** Whether it runs; a process that has ended, and of which nobody has taken note, does not. */
export function isAlive(pid: number): boolean {
  const { state } = statOf(String(pid)) ?? {}
  return state !== undefined && state !== 'Z'
}

function descendantsOf(root: number): number[] {
  if (!existsSync('/proc')) return []
  const parents = new Map<number, number>()
  for (const entry of readdirSync('/proc')) {
    const { pid, state, parent } = (/^\d+$/.test(entry) && statOf(entry)) || {}
    if (pid !== undefined && parent !== undefined && state !== 'Z') parents.set(pid, parent)
  }
  const descends = (pid: number): boolean => {
    const parent = parents.get(pid)
    return parent !== undefined && (parent === root || descends(parent))
  }
  return [...parents.keys()].filter(descends)
}

function statOf(pid: string): { pid: number; state: string; parent: number } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The second field is the program's name, which may hold anything.
    const [state = '', parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return { pid: Number(pid), state, parent: Number(parent) }
  } catch {
    return undefined // it has ended since
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // It has ended since.
  }
}
