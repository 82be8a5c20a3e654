import type { WriteStream } from 'node:tty'

/** What the user reads while the acts go on: lines that stay, and on a terminal one line that is rewritten. */
export class Progress {
  readonly #terminal: WriteStream | undefined
  #shown = false

  constructor() {
    this.#terminal = process.stdout.isTTY && process.env.TERM !== 'dumb' ? process.stdout : undefined
  }

  say(line = ''): void {
    this.clear()
    process.stdout.write(`${line}\n`)
  }

  /** Shows how far things are. Says nothing where the output is no terminal. */
  show(line: string): void {
    if (!this.#terminal) return
    this.#terminal.write(`\r${line.slice(0, (this.#terminal.columns || 80) - 1)}\x1b[K`)
    this.#shown = true
  }

  clear(): void {
    if (this.#shown) this.#terminal?.write('\r\x1b[K')
    this.#shown = false
  }
}
