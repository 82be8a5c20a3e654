import type { Acquire, Look, Op } from './batch.ts'
import type { Form } from './form.ts'
import { isUnseen, type Ledger, type Line } from './ledger.ts'

/** So many at once: others wait for their turn meanwhile, and a statement that leaves in one piece arrives in one piece. */
const most = 64

/**
 * All that is wanted of the server, in the order in which it came: what gathers while one statement is under way is the
 * next.
 */
export class Outbox {
  readonly #ledger: Ledger
  readonly #form: Pick<Form, 'joins' | 'send'>
  #ops: Op[] = []
  /** The names that are to be looked at. */
  readonly #looks = new Set<string>()
  /** Those who wait for an answer to what was wanted when they came, with how much of that has not left yet. */
  #idle: { left: number; readonly resolve: () => void }[] = []
  #busy = false
  #scheduled = false
  #closed = false

  constructor(ledger: Ledger, form: Pick<Form, 'joins' | 'send'>) {
    this.#ledger = ledger
    this.#form = form
  }

  push(op: Op): void {
    this.#ops.push(op)
    this.#schedule()
  }

  /** Asks whether somebody who waits under a name can be granted, unless that is to be asked already. */
  look({ key, stored }: Pick<Line, 'key' | 'stored'>): void {
    if (this.#looks.has(stored)) return
    this.#looks.add(stored)
    this.push({ kind: 'look', key, stored })
  }

  /** Withdraws a request that has not left. */
  withdraw(line: Line): boolean {
    const at = this.#ops.findIndex((op) => op.kind === 'acquire' && op.line === line)
    if (at < 0) return false
    const [op] = this.#ops.splice(at, 1)
    for (const each of this.#idle) if (each.left > at) each.left--
    ;(op as Acquire).resolve(null)
    return true
  }

  /** Settles when all that is wanted by now has been answered. */
  idle(): Promise<void> {
    if (!this.#busy && this.#ops.length === 0) return Promise.resolve()
    return new Promise((resolve) => this.#idle.push({ left: this.#ops.length, resolve }))
  }

  /** Sends nothing more. */
  close(why: unknown): void {
    this.#closed = true
    for (const op of this.#ops.splice(0)) if ('reject' in op) op.reject(why)
    for (const each of this.#idle) each.left = 0
    this.#settleIdle()
  }

  /** What is wanted in one tick goes together. */
  #schedule(): void {
    if (this.#busy || this.#scheduled || this.#closed) return
    this.#scheduled = true
    process.nextTick(() => {
      this.#scheduled = false
      this.#flush()
    })
  }

  #flush(): void {
    if (this.#busy || this.#closed) return
    const ops = this.#take()
    if (ops.length === 0) return this.#settleIdle()
    this.#busy = true
    void this.#form.send(ops).then(() => {
      this.#busy = false
      this.#settleIdle()
      this.#schedule()
    })
  }

  #take(): Op[] {
    const taken: Op[] = []
    let at = 0
    for (; at < this.#ops.length && taken.length < most; at++) {
      const op = this.#ops[at] as Op
      if (!this.#form.joins(op, taken)) break
      if (op.kind === 'look') this.#looks.delete(op.stored)
      if (op.kind === 'look' || this.#isCurrent(op)) taken.push(op)
      else if (op.kind === 'remove') op.resolve(false)
    }
    this.#ops.splice(0, at)
    for (const each of this.#idle) each.left -= at
    return taken
  }

  #isCurrent(op: Exclude<Op, Look>): boolean {
    return this.#ledger.has(op.line) && (op.kind !== 'register' || isUnseen(op.line))
  }

  #settleIdle(): void {
    const [waiting, done] = [this.#idle.filter(({ left }) => left > 0), this.#idle.filter(({ left }) => left <= 0)]
    this.#idle = waiting
    for (const { resolve } of done) resolve()
  }
}
