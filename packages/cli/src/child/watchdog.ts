import { spawn } from 'node:child_process'

/**
 * Runs in a session of its own, where no signal from a terminal comes. It reads who is to be killed, then waits: for a
 * line, when there is nothing left to do, or for the end of its input, which is the end of whoever held the other side.
 */
const script = 'read -r group || exit 0; read -r line && exit 0; kill -s KILL -- "-$group"'

/** A process that outlives this one, also after `kill -9`, to kill a process group with it. */
export class Watchdog {
  readonly #process = spawn('/bin/sh', ['-c', script], { stdio: ['pipe', 'ignore', 'ignore'], detached: true })
  readonly #ready: Promise<void>

  constructor() {
    // One that has ended is of no use and does no harm.
    this.#process.stdin.on('error', () => {})
    this.#ready = new Promise((resolve, reject) => {
      this.#process.once('spawn', resolve)
      this.#process.once('error', reject)
    })
  }

  ready(): Promise<void> {
    return this.#ready
  }

  /** Settles when the group would be killed if this process ended now. */
  guard(group: number): Promise<void> {
    return new Promise((resolve) => this.#process.stdin.write(`${group}\n`, () => resolve()))
  }

  dismiss(): void {
    this.#process.stdin.end('done\n')
  }
}
