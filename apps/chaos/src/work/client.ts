import type { LockManager } from '@locks/core'
import type { Commission, Order, Report } from '../protocol.ts'
import type { Answer, Port } from './port.ts'
import { Prober } from './prober.ts'
import { Worker } from './worker.ts'

export interface Surroundings {
  open(commission: Commission): Promise<LockManager>
  readonly report: (what: Report) => void
  /** What is left of a client that has closed. */
  left(): Promise<readonly string[]>
}

/** A client's side of the line to the campaign: it obeys orders, and reports. */
export class Client {
  readonly #by: Surroundings
  readonly #waiting = new Map<number, (answer: Answer) => void>()
  #calls = 0
  #work: Worker | Prober | undefined

  constructor(by: Surroundings) {
    this.#by = by
  }

  hear(order: Order): void {
    this.#obey(order).catch((error: unknown) => this.broke(error))
  }

  broke(error: unknown): void {
    this.#by.report({ is: 'broke', why: String((error as Error | undefined)?.stack ?? error) })
  }

  async #obey(order: Order): Promise<void> {
    switch (order.is) {
      case 'start':
        this.#work = this.#start(order.commission)
        await this.#work.ready()
        return this.#by.report({ is: 'ready' })
      case 'go':
        return this.#work?.go()
      case 'settle':
        await this.#work?.settle()
        return this.#by.report({ is: 'idle' })
      case 'probe':
        if (this.#work instanceof Worker) await this.#work.probe(order.timeout)
        return this.#by.report({ is: 'probed' })
      case 'stall':
        return this.#work instanceof Worker ? this.#work.stall(order.ms) : undefined
      case 'close':
        await this.#work?.close()
        return this.#by.report({ is: 'closed', left: await this.#by.left() })
      case 'answer':
        this.#waiting.get(order.call)?.(order.answer)
        this.#waiting.delete(order.call)
    }
  }

  #start(commission: Commission): Worker | Prober {
    const open = () => this.#by.open(commission)
    const { role, task } = commission
    return role === 'worker' ? new Worker(task, this.#port(), open) : new Prober(task, this.#port(), open)
  }

  #port(): Port {
    const { report } = this.#by
    return {
      began: (call) => report({ is: 'began', call }),
      ended: (call) => report({ is: 'ended', call }),
      holds: (hold) => report({ is: 'holds', hold }),
      observed: (change) => report({ is: 'observed', change }),
      saw: (sighting) => report({ is: 'saw', sighting }),
      tried: (series) => report({ is: 'tried', series }),
      access: (wish) =>
        new Promise((resolve) => {
          this.#waiting.set(++this.#calls, resolve)
          report({ is: 'access', call: this.#calls, wish })
        }),
      broke: (why) => this.broke(why),
    }
  }
}
