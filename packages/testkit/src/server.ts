import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { keeper } from './keeper/keeper.ts'
import type { Started } from './keeper/verbs.ts'
import { findRequired } from './requirements.ts'
import { until } from './until.ts'

export interface Launch {
  readonly executable: string
  readonly args: readonly string[]
  /** A command that runs it, as another user or elsewhere, and becomes it. */
  readonly by?: readonly string[]
  /** Where it runs and keeps its data; a folder of the keeper's. */
  readonly folder: string
  /**
   * What the server itself writes once it can be used. Its port would be a worse witness: there might be somebody else
   * on it.
   */
  readonly ready: RegExp
  /** How it is asked to end, if SIGKILL would leave something of it outside its folder. */
  readonly quit?: NodeJS.Signals
}

/** A real server in a process of its own, which does not outlive this one. */
export class Server {
  readonly folder: string
  readonly #launch: Launch
  readonly #log: string
  #process: Started | undefined
  #ended = false

  constructor(launch: Launch) {
    this.folder = launch.folder
    this.#launch = launch
    this.#log = join(launch.folder, 'output.log')
  }

  get pid(): number {
    if (!this.#process) throw new Error(`${this.#launch.executable} does not run`)
    return this.#process.pid
  }

  /** Resolves once the server says that it is ready. Throws what it wrote last if it ends before that. */
  async start(): Promise<void> {
    const { executable, args, by = [], folder, ready } = this.#launch
    const before = await stat(this.#log).then(
      ({ size }) => size,
      () => 0,
    )
    const written = async () => (await readFile(this.#log)).subarray(before).toString()
    const [first = '', ...rest] = [...by, findRequired(executable), ...args]
    const started = await keeper().call('start', { executable: first, args: rest, folder, log: this.#log })
    this.#process = started
    const state = await until(`${executable} is ready`, async () => {
      // In this order: one that has ended writes nothing more.
      const isRunning = await keeper().call('isRunning', started.id)
      if (ready.test(await written())) return 'ready'
      return !isRunning && 'ended'
    })
    if (state === 'ended') {
      const tail = (await written()).split('\n').slice(-20).join('\n')
      throw new Error(`${executable} ended before it was ready:\n${tail}`)
    }
  }

  /** Stops it where it stands (SIGSTOP), until {@link continue}. */
  async stop(): Promise<void> {
    await this.#signal('SIGSTOP')
  }

  async continue(): Promise<void> {
    await this.#signal('SIGCONT')
  }

  /** SIGKILL; resolves once it has ended. */
  async kill(): Promise<void> {
    if (this.#process) await keeper().call('kill', this.#process.id)
  }

  /** SIGKILL, and a start on what it had left on disk. */
  async restart(): Promise<void> {
    await this.kill()
    await this.start()
  }

  /** Kills it and removes its folder. */
  async end(): Promise<void> {
    if (this.#ended) return
    this.#ended = true
    if (this.#launch.quit) await this.#quit(this.#launch.quit)
    await this.kill()
    await keeper().call('remove', this.folder)
  }

  async #quit(signal: NodeJS.Signals): Promise<void> {
    await this.continue()
    await this.#signal(signal)
    const id = this.#process?.id
    await until('it has ended', async () => id === undefined || !(await keeper().call('isRunning', id)))
  }

  async #signal(signal: NodeJS.Signals): Promise<void> {
    if (this.#process) await keeper().call('signal', this.#process.id, signal)
  }
}
