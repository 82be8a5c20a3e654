import { fork, type ChildProcess } from 'node:child_process'
import { extname } from 'node:path'
import type { ChildOptions } from './harness.ts'
import type { Orders, Reply, WireOptions } from './protocol.ts'

/** A lock manager in a process of its own, which can be stopped and killed. */
export class RemoteProcess {
  readonly #options: ChildOptions
  readonly #process: ChildProcess
  readonly #pending = new Map<number, { resolve: (result: unknown) => void; reject: (error: Error) => void }>()
  #serial = 0

  constructor(options: ChildOptions) {
    this.#options = options
    const program = new URL(`./child${extname(import.meta.filename)}`, import.meta.url)
    this.#process = fork(program, { execArgv: [...(options.execArgv ?? process.execArgv)], serialization: 'advanced' })
    this.#process.on('message', (reply: Reply) => {
      const call = this.#pending.get(reply.id)
      this.#pending.delete(reply.id)
      if (reply.error === undefined) call?.resolve(reply.result)
      else call?.reject(new Error(reply.error))
    })
    this.#process.on('exit', (code, signal) => {
      for (const call of this.#pending.values()) call.reject(new Error(`the process ended with ${signal ?? code}`))
      this.#pending.clear()
    })
  }

  get pid(): number {
    return this.#process.pid as number
  }

  open(options: Omit<Parameters<Orders['open']>[0], 'url' | 'adapter'>): Promise<void> {
    const { url, adapter } = this.#options
    return this.#order('open', { url, adapter, ...options })
  }

  async acquire(name: string, options: WireOptions = {}): Promise<RemoteLock> {
    const { lock, token } = await this.#order('acquire', name, options)
    return this.#lock(lock, token)
  }

  async tryAcquire(name: string, options: WireOptions = {}): Promise<RemoteLock | null> {
    const found = await this.#order('tryAcquire', name, options)
    return found && this.#lock(found.lock, found.token)
  }

  async campaign(name: string, value: string): Promise<RemoteLock> {
    const { lock, token } = await this.#order('campaign', name, value)
    return this.#lock(lock, token)
  }

  /** See {@link Orders.contend}. */
  contend(name: string, file: string, times: number): Promise<number> {
    return this.#order('contend', name, file, times)
  }

  close(): Promise<void> {
    return this.#order('close')
  }

  /** Closes and waits until the process has ended by itself; its exit code. */
  async leave(): Promise<number | null> {
    const ended = new Promise<number | null>((resolve) => this.#process.once('exit', resolve))
    await this.#order('leave')
    return ended
  }

  stop(): void {
    this.#process.kill('SIGSTOP')
  }

  continue(): void {
    this.#process.kill('SIGCONT')
  }

  /** Settles when the process is gone. */
  async kill(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    const gone = new Promise((resolve) => this.#process.once('exit', resolve))
    this.#process.kill('SIGKILL')
    await gone
  }

  #lock(lock: number, token: string): RemoteLock {
    return {
      token: BigInt(token),
      held: () => this.#order('held', lock),
      assertHeld: () => this.#order('assertHeld', lock),
      release: () => this.#order('release', lock),
      stall: (ms) => this.#order('stall', lock, ms),
    }
  }

  #order<K extends keyof Orders>(verb: K, ...args: Parameters<Orders[K]>): Promise<ReturnType<Orders[K]>> {
    const id = ++this.#serial
    const reply = new Promise<unknown>((resolve, reject) => this.#pending.set(id, { resolve, reject }))
    this.#process.send({ id, verb, args }, (error) => {
      if (error) this.#pending.get(id)?.reject(error)
    })
    return reply as Promise<ReturnType<Orders[K]>>
  }
}

/** A lock that another process holds. */
export interface RemoteLock {
  readonly token: bigint
  held(): Promise<boolean>
  assertHeld(): Promise<ReturnType<Orders['assertHeld']>>
  release(): Promise<'released' | 'lost'>
  stall(ms: number): Promise<boolean>
}
