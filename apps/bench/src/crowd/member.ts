import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { MemberSpec, MemberVerbs } from './calls.ts'

const program = fileURLToPath(new URL('./program.ts', import.meta.url))

interface Answer {
  readonly id: number
  readonly value?: unknown
  readonly error?: string
}

/** A process with a client of a subject. It does not outlive this one. */
export class Member {
  readonly #process: ChildProcess
  readonly #calls = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>()
  #next = 0

  private constructor(child: ChildProcess) {
    this.#process = child
    child.on('message', ({ id, value, error }: Answer) => {
      const call = this.#calls.get(id)
      this.#calls.delete(id)
      if (error === undefined) call?.resolve(value)
      else call?.reject(new Error(error))
    })
    child.on('exit', () => {
      for (const { reject } of this.#calls.values()) reject(new Error('its process has ended'))
      this.#calls.clear()
    })
  }

  /** Connected. */
  static async start(spec: MemberSpec): Promise<Member> {
    const child = fork(program, [JSON.stringify(spec)], {
      execArgv: [
        '--conditions=@locks/source',
        '--expose-gc',
        '--disable-warning=ExperimentalWarning',
        '--disable-warning=LocksWarning',
      ],
    })
    const ended = once(child, 'exit').then(() => {
      throw new Error(`${spec.subject} could not start`)
    })
    ended.catch(() => {})
    await Promise.race([once(child, 'message'), ended])
    return new Member(child)
  }

  call<K extends keyof MemberVerbs>(verb: K, ...args: Parameters<MemberVerbs[K]>): ReturnType<MemberVerbs[K]> {
    const id = this.#next++
    return new Promise((resolve, reject) => {
      this.#calls.set(id, { resolve: resolve as (value: unknown) => void, reject })
      this.#process.send({ id, verb, args })
    }) as ReturnType<MemberVerbs[K]>
  }

  /** SIGKILL: what it held is left behind. */
  async kill(): Promise<void> {
    const ended = once(this.#process, 'exit')
    if (this.#process.exitCode === null && this.#process.kill('SIGKILL')) await ended
  }
}
