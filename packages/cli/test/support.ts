import { spawn, type ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { LockManager, type ManagerOptions } from '@locks/core'
import { sqlite } from '@locks/sqlite'
import { afterEach } from 'vitest'

const main = join(import.meta.dirname, '../src/main.ts')
const source = '--conditions=@locks/source'

/** To be undone when the test is over, the latest first. */
const cleanups: (() => unknown)[] = []

afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean()
})

export function cleanup(clean: () => unknown): void {
  cleanups.push(clean)
}

/** A folder that goes with the test. */
export function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'locks-cli-'))
  cleanup(() => rmSync(made, { recursive: true, force: true, maxRetries: 5 }))
  return made
}

/** Waits for a condition; the test's own time-out is the bound. */
export async function until<T>(condition: () => T | Promise<T>): Promise<NonNullable<Awaited<T>>> {
  for (;;) {
    const found = await condition()
    if (found) return found
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

export const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

/** Writes down the time again and again, in ms, and when it was asked to end, which it does not do. */
export const diarist = `trap 'echo term $(date +%s%3N) >> "$1"' TERM; while :; do echo alive $(date +%s%3N) >> "$1"; sleep 0.01; done`

export function times(diary: string, what: 'alive' | 'term'): number[] {
  const lines = read(diary).split('\n')
  return lines
    .filter((line) => /^\w+ \d+$/.test(line) && line.startsWith(what))
    .map((line) => Number(line.split(' ')[1]))
}

export interface Result {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface Running {
  readonly process: ChildProcess
  readonly pid: number
  readonly ended: Promise<Result>
  /** So far. */
  readonly stdout: string
  readonly stderr: string
  kill(signal: NodeJS.Signals): void
}

/** A world of one test: a store (its own database unless another is given), an environment, every process started in it. */
export class World {
  readonly folder = folder()
  readonly database = join(this.folder, 'locks.db')
  readonly #mark = `LOCKS_TEST_WORLD=${randomUUID()}`
  readonly env: NodeJS.ProcessEnv

  constructor(url?: string) {
    const [key = '', value] = this.#mark.split('=')
    const { LOCKS_URL: _, ...inherited } = process.env
    this.env = {
      ...inherited,
      [key]: value,
      LOCKS_URL: url ?? `sqlite:${this.database}`,
      // One for all tests: what is measured elsewhere is not the compiler.
      NODE_COMPILE_CACHE: join(tmpdir(), 'locks-cli-test-cache'),
      XDG_STATE_HOME: join(this.folder, 'state'),
      TERM: 'xterm',
    }
    cleanup(async () => {
      for (const pid of this.processes()) kill(pid)
      await until(() => this.processes().length === 0)
    })
  }

  /** A second party, in this process. */
  manager(options: ManagerOptions = {}): LockManager {
    const locks = new LockManager(sqlite({ path: this.database }), options)
    cleanup(() => locks.close())
    return locks
  }

  locks(args: readonly string[], options: StartOptions = {}): Running {
    return this.start(process.execPath, this.argv(args, options.flags), options)
  }

  /** What Node is started with. */
  argv(args: readonly string[], flags: readonly string[] = []): string[] {
    return [source, ...flags, main, ...args]
  }

  /** From its start to its end. */
  run(args: readonly string[], options: StartOptions = {}): Promise<Result> {
    return this.locks(args, options).ended
  }

  /** The same in a terminal; what is written to its stdin is typed there. */
  terminal(args: readonly string[], options: StartOptions = {}): Running {
    // In place of the shell: one that stays would die of Ctrl-C, and its end be taken for the command's.
    const line = `exec ${[process.execPath, ...this.argv(args)].map(quoted).join(' ')}`
    return this.start('script', ['-qefc', line, '/dev/null'], options)
  }

  start(file: string, args: readonly string[], { env = {}, cwd = this.folder }: StartOptions = {}): Running {
    const started = spawn(file, args, { cwd, env: { ...this.env, ...env } })
    let [stdout, stderr] = ['', '']
    started.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
    started.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    started.stdin.on('error', () => {})
    const ended = new Promise<Result>((resolve, reject) => {
      started.once('error', reject)
      started.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }))
    })
    return {
      process: started,
      pid: started.pid ?? 0,
      ended,
      kill: (signal) => void started.kill(signal),
      get stdout() {
        return stdout
      },
      get stderr() {
        return stderr
      },
    }
  }

  /** Everything alive that was started in this world, by whomever. */
  processes(): number[] {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .filter((pid) => read(`/proc/${pid}/environ`).includes(this.#mark) && !['Z', 'X'].includes(stateOf(pid)))
  }
}

/** One word of a shell. */
export const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`

/** To start `locks` with: it gets a signal at a moment that signal-when.ts knows. */
export const signalWhen = (moment: string, signal: NodeJS.Signals): StartOptions => ({
  flags: ['--import', pathToFileURL(join(import.meta.dirname, 'signal-when.ts')).href],
  env: { LOCKS_TEST_WHEN: moment, LOCKS_TEST_SIGNAL: signal },
})

export interface StartOptions {
  readonly env?: NodeJS.ProcessEnv
  readonly flags?: readonly string[]
  readonly cwd?: string
}

/** To start `locks` with: it writes its lock's deadline down there when that is at risk, as at-risk.ts says. */
export const notingDeadline = (path: string): StartOptions => ({
  flags: ['--import', pathToFileURL(join(import.meta.dirname, 'at-risk.ts')).href],
  env: { LOCKS_TEST_DEADLINE: path },
})

/** As in /proc: S sleeps, T is stopped, Z is dead; empty when there is none. */
export const stateOf = (pid: number): string => /^\d+ \(.*\) (\S)/s.exec(read(`/proc/${pid}/stat`))?.[1] ?? ''

export function kill(pid: number, signal: NodeJS.Signals = 'SIGKILL'): void {
  try {
    process.kill(pid, signal)
  } catch {
    // It is gone.
  }
}
