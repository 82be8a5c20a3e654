import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

/** What a program can be asked to do. What goes in and comes out travels as JSON. */
export type Verbs<V> = { [K in keyof V]: (...args: never) => Promise<unknown> }

interface Call {
  readonly id: number
  readonly verb: string
  readonly args: readonly unknown[]
}

interface Answer {
  readonly id: number
  readonly result?: unknown
  readonly error?: { readonly message: string; readonly code?: unknown }
}

interface Waiting {
  resolve(result: unknown): void
  reject(error: Error): void
}

/**
 * A Node program of ours in a process of its own, and the line to it. The program learns of this process's end,
 * however it comes, by the end of the line. It keeps this process from ending only while it is asked something.
 */
export class Program<V extends Verbs<V>> {
  readonly pid: number
  readonly #process: ChildProcess
  readonly #waiting = new Map<number, Waiting>()
  #calls = 0

  /** `detached`: no signal that is sent to this process's group or terminal reaches the program. */
  constructor(program: URL, { detached = false }: { detached?: boolean } = {}) {
    const path = fileURLToPath(program)
    this.#process = fork(path, { detached, execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    this.#process.on('message', (answer) => this.#settle(answer as Answer))
    this.#process.on('exit', (code, signal) => {
      const error = new Error(`${path} ended with ${signal ?? code}`)
      for (const waiting of this.#waiting.values()) waiting.reject(error)
      this.#waiting.clear()
    })
    this.#hold(false)
    if (this.#process.pid === undefined) throw new Error(`${path} does not start`)
    this.pid = this.#process.pid
  }

  call<K extends keyof V & string>(verb: K, ...args: Parameters<V[K]>): ReturnType<V[K]> {
    const answered = new Promise<unknown>((resolve, reject) => {
      const id = this.#calls++
      this.#waiting.set(id, { resolve, reject })
      this.#hold(true)
      this.#process.send({ id, verb, args } satisfies Call, (error) => {
        if (error) this.#settle({ id, error })
      })
    })
    return answered as ReturnType<V[K]>
  }

  /** Ends the line; resolves once the program has ended for it. */
  async end(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    const exited = once(this.#process, 'exit')
    this.#process.ref()
    if (this.#process.connected) this.#process.disconnect()
    await exited
  }

  #settle({ id, result, error }: Answer): void {
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    if (this.#waiting.size === 0) this.#hold(false)
    if (error) waiting?.reject(Object.assign(new Error(error.message), { code: error.code }))
    else waiting?.resolve(result)
  }

  #hold(on: boolean): void {
    const { channel } = this.#process
    if (on) {
      this.#process.ref()
      channel?.ref()
    } else {
      this.#process.unref()
      channel?.unref()
    }
  }
}

/** The program's side of the line. `orphaned` is called once the process that started the program is gone. */
export function serve<V extends Verbs<V>>(verbs: V, orphaned: () => void): void {
  const answer = async ({ id, verb, args }: Call): Promise<Answer> => {
    try {
      const asked: (...args: never) => Promise<unknown> = verbs[verb as keyof V]
      return { id, result: await asked(...(args as never)) }
    } catch (thrown) {
      const { message, code } = thrown as NodeJS.ErrnoException
      return { id, error: { message, code } }
    }
  }
  process.on('message', (call) => {
    void answer(call as Call).then((reply) => process.connected && process.send?.(reply))
  })
  process.on('disconnect', orphaned)
}
