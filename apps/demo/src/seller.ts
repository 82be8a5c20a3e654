import { fork, type ChildProcess } from 'node:child_process'
import type { Go, Report, Task } from './protocol.ts'

type Kind = Report['is']
type ReportOf<K extends Kind> = Extract<Report, { is: K }>

/** A worker process, as the main program sees it. */
export class Seller {
  readonly name: string
  readonly #process: ChildProcess
  readonly #first = new Map<Kind, PromiseWithResolvers<Report>>()
  readonly #gone = Promise.withResolvers<void>()
  #failure: Error | undefined

  constructor(task: Task, hear: (report: Report) => void) {
    this.name = task.seller
    // What there is to warn of, the demo's own process has been warned of.
    const execArgv = [...process.execArgv, '--disable-warning=LocksWarning']
    // `advanced`: tokens are bigints.
    this.#process = fork(new URL('./worker.ts', import.meta.url), { serialization: 'advanced', execArgv })
    this.#process.on('message', (report: Report) => {
      if (report.is === 'failed') this.#fail(report.why)
      this.#latch(report.is).resolve(report)
      hear(report)
    })
    this.#process.on('error', (error) => this.#fail(error.message))
    this.#process.on('exit', (code, signal) => {
      this.#fail(`its process ended (${signal ?? `exit code ${code}`})`)
      this.#gone.resolve()
    })
    this.#tell(task)
  }

  get pid(): number {
    return this.#process.pid as number
  }

  /** The first report of a kind, also one that has come already; rejects if the process ends without it. */
  first<K extends Kind>(is: K): Promise<ReportOf<K>> {
    return this.#latch(is).promise as Promise<ReportOf<K>>
  }

  /** Begins to sell. */
  go(): void {
    this.#tell('go')
  }

  signal(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void {
    this.#process.kill(signal)
  }

  /** Lets the process end; settles when it is gone. */
  dismiss(): Promise<void> {
    if (this.#process.connected) this.#process.disconnect()
    return this.#gone.promise
  }

  #tell(message: Task | Go): void {
    this.#process.send(message, (error) => {
      if (error) this.#fail(error.message)
    })
  }

  #latch(is: Kind): PromiseWithResolvers<Report> {
    const known = this.#first.get(is)
    if (known) return known
    const made = Promise.withResolvers<Report>()
    made.promise.catch(() => {}) // whoever waits for it hears of it
    if (this.#failure) made.reject(this.#failure)
    this.#first.set(is, made)
    return made
  }

  #fail(why: string): void {
    this.#failure ??= new Error(`${this.name}: ${why}`)
    for (const latch of this.#first.values()) latch.reject(this.#failure)
  }
}
