const ending = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const
const others = process.platform === 'win32' ? [] : (['SIGWINCH', 'SIGTSTP', 'SIGCONT'] as const)

/** What the signals that this process gets mean at the moment. */
export interface Receiver {
  /** One that ends a process, unless it thinks otherwise. */
  ending(signal: NodeJS.Signals): void
  resized?(): void
  /** This process is about to stand still. */
  stopping?(): void
  /** It goes on, after a moment or a day. */
  woken?(): void
}

/** One set of handlers from the first line to the last: no signal falls between two of them. */
export class Signals {
  #receiver: Receiver

  constructor(receiver: Receiver) {
    this.#receiver = receiver
    for (const signal of [...ending, ...others]) process.on(signal, () => this.#received(signal))
  }

  /** From now on they mean this. */
  to(receiver: Receiver): void {
    this.#receiver = receiver
  }

  #received(signal: NodeJS.Signals): void {
    if (signal === 'SIGWINCH') this.#receiver.resized?.()
    else if (signal === 'SIGCONT') this.#receiver.woken?.()
    else if (signal === 'SIGTSTP') this.#stop()
    else this.#receiver.ending(signal)
  }

  /** As Ctrl-Z would have done without a handler. */
  #stop(): void {
    this.#receiver.stopping?.()
    process.kill(process.pid, 'SIGSTOP')
  }
}
