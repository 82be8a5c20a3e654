import { spawn, type ChildProcess } from 'node:child_process'
import type { Writable } from 'node:stream'
import { Failure } from '../failure.ts'
import { exitCodes } from '../exit-codes.ts'
import type { Ending } from './ending.ts'
import { Watchdog } from './watchdog.ts'

/**
 * Becomes the command as soon as it is told to, and ends if that never happens: whoever starts it may be killed between
 * its start and the moment at which the watchdog knows of it.
 */
const gate = 'read -r line <&3 || exit 125; exec 3<&-; exec "$@"'

const windows = process.platform === 'win32'

/** A command in a process group of its own, which dies with this process. */
export class Child {
  readonly ended: Promise<Ending>
  readonly #process: ChildProcess
  readonly #watchdog: Watchdog | undefined

  private constructor(started: ChildProcess, watchdog?: Watchdog) {
    this.#process = started
    this.#watchdog = watchdog
    this.ended = new Promise((resolve, reject) => {
      started.once('exit', (code, signal) => {
        // What the command has left behind in its group would go on without the lock.
        this.kill('SIGKILL')
        this.#watchdog?.dismiss()
        resolve(signal ?? code ?? exitCodes.failed)
      })
      started.once('error', (error) => {
        this.#watchdog?.dismiss()
        reject(notStarted(error))
      })
    })
    // Whoever starts it awaits it a moment later.
    this.ended.catch(() => {})
  }

  /** `mayRun` is asked at the last moment: whatever it takes to get there, or a stop in between, may have been too long. */
  static async start(command: readonly string[], env: NodeJS.ProcessEnv, mayRun: () => boolean): Promise<Child> {
    const [file = '', ...args] = command
    if (windows) return new Child(spawn(file, args, { stdio: 'inherit', env }))
    try {
      return await Child.#startGuarded(command, env, mayRun)
    } catch (error) {
      throw notStarted(error)
    }
  }

  static async #startGuarded(
    command: readonly string[],
    env: NodeJS.ProcessEnv,
    mayRun: () => boolean,
  ): Promise<Child> {
    const watchdog = new Watchdog()
    await watchdog.ready()
    const started = spawnGated(command, env, watchdog)
    const child = new Child(started, watchdog)
    const opener = started.stdio[3] as Writable
    opener.on('error', () => {})
    if (started.pid === undefined) return child
    await watchdog.guard(started.pid)
    opener.end(mayRun() ? 'go\n' : '')
    return child
  }

  /** To the whole group; of no effect when it is gone. */
  kill(signal: NodeJS.Signals): void {
    const { pid } = this.#process
    try {
      if (windows) this.#process.kill(signal)
      else if (pid !== undefined) process.kill(-pid, signal)
    } catch {
      // There is nobody left, or nobody who may be told.
    }
  }
}

function spawnGated(command: readonly string[], env: NodeJS.ProcessEnv, watchdog: Watchdog): ChildProcess {
  try {
    return spawn('/bin/sh', ['-c', gate, 'locks', ...command], {
      stdio: ['inherit', 'inherit', 'inherit', 'pipe'],
      env,
      detached: true,
    })
  } catch (error) {
    // It would wait for the end of this process, and this process for its.
    watchdog.dismiss()
    throw error
  }
}

const notStarted = (error: unknown): Failure =>
  new Failure('NOT_STARTED', exitCodes.notExecutable, `the command could not be started: ${(error as Error).message}`)
