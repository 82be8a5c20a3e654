import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'

export interface RunOptions {
  readonly cwd: string
  readonly env?: Readonly<Record<string, string>>
  /** How long it may take, ms. */
  readonly patience?: number
}

/** Where a rehearsal takes place: a temporary folder and whatever runs for it. All of it is gone when it has ended. */
export class Stage {
  readonly folder: string
  /** What runs, and its end. */
  readonly #children = new Map<ChildProcess, Promise<unknown[]>>()
  readonly #owned: (() => Promise<void>)[] = []
  #over = false

  constructor(folder: string) {
    this.folder = folder
  }

  /** An empty folder. */
  async room(name: string): Promise<string> {
    const room = join(this.folder, name)
    await mkdir(room, { recursive: true })
    return room
  }

  /** Ended when the stage is. */
  own(end: () => Promise<void>): void {
    if (this.#over) void end()
    else this.#owned.push(end)
  }

  /** What a command printed; an error that holds it if the command fails or takes too long. */
  async run(command: string, args: readonly string[], { cwd, env, patience = 180_000 }: RunOptions): Promise<string> {
    if (this.#over) throw new Error('the rehearsal is over')
    // A group of its own, so that nothing of it is left.
    const child = spawn(command, args, { cwd, env: { ...ownEnvironment(), ...env }, detached: true })
    const closed = once(child, 'close')
    this.#children.set(child, closed)
    const output: Buffer[] = []
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => output.push(chunk))
    const timer = setTimeout(() => killGroup(child), patience)
    try {
      const [code, signal] = (await closed) as [number | null, NodeJS.Signals | null]
      const printed = Buffer.concat(output).toString()
      if (code === 0) return printed
      throw new Error(`${[command, ...args].join(' ')} ended with ${code ?? signal}:\n${printed.trimEnd()}`)
    } finally {
      clearTimeout(timer)
      this.#children.delete(child)
    }
  }

  /** Kills what runs, ends what is owned, and removes the folder. */
  async end(): Promise<void> {
    if (this.#over) return
    this.#over = true
    const closed = [...this.#children].map(([child, end]) => {
      killGroup(child)
      return end
    })
    await Promise.allSettled(closed)
    await Promise.allSettled(this.#owned.toReversed().map((end) => end()))
    await rm(this.folder, { recursive: true, force: true, maxRetries: 10 })
  }
}

export async function openStage(): Promise<Stage> {
  return new Stage(await mkdtemp(join(tmpdir(), 'locks-rehearsal-')))
}

function killGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch {
    // It has ended since.
  }
}

/** Without what npm and pnpm tell the scripts that they run, such as where the package is that they belong to. */
function ownEnvironment(): NodeJS.ProcessEnv {
  const told = /^p?npm_(lifecycle|package|command|config_(local_|global_)?prefix|config_user_agent|config_provenance)/i
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !told.test(name)))
}
