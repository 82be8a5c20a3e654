import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import type { NetworkHost } from '@locks/testkit'
import type { Order, Report } from '../protocol.ts'
import type { Member, ProcessMember } from './member.ts'

const program = fileURLToPath(new URL('../work/program.ts', import.meta.url))

interface Birth {
  readonly client: string
  readonly place: number
  readonly env: NodeJS.ProcessEnv
  /** Where, if not on this one. */
  readonly host?: NetworkHost | undefined
}

/** A client in a process of its own, which can be stopped and killed. */
export class SeparateMember implements Member {
  readonly client: string
  readonly place: number
  readonly process: ProcessMember
  readonly ended: Promise<void>
  readonly #child: ChildProcess

  constructor({ client, place, env, host }: Birth, hear: (report: Report) => void) {
    this.client = client
    this.place = place
    // The command that enters becomes this one, and keeps the line to here.
    const [execPath = process.execPath, ...args] = host ? [...host.enter, process.execPath] : []
    this.#child = fork(program, {
      env: { ...process.env, ...env },
      execPath,
      execArgv: [...args, '--conditions=@locks/source', '--disable-warning=ExperimentalWarning'],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    this.#child.on('message', (report) => hear(report as Report))
    this.#child.on('error', () => {})
    // The line ends after the last report has been read.
    this.ended = Promise.all([once(this.#child, 'exit'), once(this.#child, 'disconnect')]).then(() => undefined)
    const signal = (name: NodeJS.Signals) => () => void this.#child.kill(name)
    this.process = { stop: signal('SIGSTOP'), continue: signal('SIGCONT'), kill: signal('SIGKILL') }
  }

  get alive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  send(order: Order): void {
    // Whoever has died in the meantime hears nothing, and the campaign hears of its end.
    if (this.#child.connected) this.#child.send(order, () => {})
  }
}
