/**
 * The parent of all servers that one test process starts. Once that process is gone, by SIGKILL too, it kills them,
 * removes their folders and ends. As the parent it cannot mistake another process for one of its own: their ids are
 * not given to others before it has heard of their end.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { serve } from '../program.ts'
import { until } from '../until.ts'
import { isAlive, signalTree } from './tree.ts'
import type { KeeperVerbs } from './verbs.ts'

interface Running {
  readonly pid: number
  readonly ended: Promise<unknown>
}

const folders = new Set<string>()
const running = new Map<number, Running>()
let started = 0

serve<KeeperVerbs>(
  {
    async folder(prefix) {
      const folder = await mkdtemp(join(tmpdir(), `locks-${prefix}-`))
      folders.add(folder)
      return folder
    },
    remove,
    async start({ executable, args, folder, log }) {
      const output = openSync(log, 'a')
      // A process group of its own, for what it may start itself.
      const child = spawn(executable, args, { cwd: folder, detached: true, stdio: ['ignore', output, output] })
      closeSync(output)
      const { pid } = child
      if (pid === undefined) {
        const [error] = (await once(child, 'error')) as [Error]
        throw error
      }
      const id = started++
      const ended = once(child, 'exit').then(() => running.delete(id))
      running.set(id, { pid, ended })
      return { id, pid }
    },
    signal: (id, signal) => Promise.resolve(void send(id, signal)),
    kill,
    isRunning: (id) => Promise.resolve(running.has(id)),
  },
  () => void leave(),
)

function send(id: number, signal: NodeJS.Signals): readonly number[] {
  const found = running.get(id)
  return found ? signalTree(found.pid, signal) : []
}

async function kill(id: number): Promise<void> {
  const ended = running.get(id)?.ended
  const killed = send(id, 'SIGKILL')
  await ended
  await until('all that it had started has ended', () => !killed.some(isAlive))
}

async function remove(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 10 })
  folders.delete(folder)
}

async function leave(): Promise<void> {
  await Promise.all([...running.keys()].map(kill))
  await Promise.all([...folders].map(remove))
  process.exit()
}
