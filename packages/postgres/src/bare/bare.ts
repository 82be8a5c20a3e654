import { randomInt } from 'node:crypto'
import type { Claim, Entry, Grant, Instant } from '@locks/core/backend'
import { inOrder, storedOf, type Acquire, type Op, type Remove } from '../batch.ts'
import { failureOf } from '../failures.ts'
import type { Form, FormParts } from '../form.ts'
import type { Line } from '../ledger.ts'
import { readLabel } from './label.ts'
import { statements } from './statements.ts'

/** One row of the statement: what is asked for whom. */
interface Asked {
  readonly op: Op
  readonly letter: 't' | 'w' | 's' | 'l' | 'c' | 'f'
  readonly line: Line
}

/** Without tables: exclusive locks, and those who wait in no order but that of each session's own calls. */
export class Bare implements Form {
  readonly #parts: FormParts
  /** By which a line that waits is counted. */
  readonly #waiters = new WeakMap<Line, number>()

  constructor(parts: FormParts) {
    this.#parts = parts
  }

  /** What has become of a name by an op before must be known, or the session would ask for what it has. */
  joins(op: Op, taken: readonly Op[]): boolean {
    return taken.every((other) => {
      if (storedOf(other) !== storedOf(op)) return true
      if (op.kind === 'acquire') return other.kind !== 'acquire' || other.wait
      return other.kind !== 'look'
    })
  }

  async send(ops: readonly Op[]): Promise<void> {
    const { lock, clock, broken } = this.#parts
    let sent = clock.now()
    const asked = this.#asked(inOrder(ops))
    try {
      const leaving = () => {
        sent = clock.now()
        return this.#columns(asked)
      }
      const rows = asked.length === 0 ? [] : await lock.run(statements.run, leaving)
      for (const [at, [answer]] of rows.entries()) this.#apply(asked[at] as Asked, String(answer), sent)
    } catch (error) {
      // Locks that a failed statement has taken stay: only the end of the session is sure to free them.
      for (const op of ops) if ('reject' in op) op.reject(failureOf(error))
      broken(error)
    }
  }

  async beat(): Promise<Instant> {
    const { clock, lock } = this.#parts
    let sent = clock.now()
    const leaving = () => {
      sent = clock.now()
      return []
    }
    await lock.run(statements.beat, leaving, true)
    return sent
  }

  async query(name = ''): Promise<readonly Entry[]> {
    const { outbox, listener, keys } = this.#parts
    await outbox.idle()
    const rows = await listener.run(statements.entries, [String(keys.key(name))])
    return rows.map(([holds, label]) => {
      return { name, mode: 'exclusive', ...readLabel(String(label)), holds: holds === true }
    })
  }

  own(): Promise<readonly Claim[]> {
    const lines = [...this.#parts.ledger.all].filter(({ state }) => state !== 'asked')
    return Promise.resolve(lines.map(({ claim }) => claim))
  }

  async leave(): Promise<void> {
    const { lock, ledger } = this.#parts
    const held = [...ledger.all].filter(({ state }) => state === 'held').map(({ key }) => String(key))
    await lock.run(statements.leave)
    await lock.run(statements.tell, () => [held])
  }

  close(): void {}

  /** Whoever asks for a name that the session has, or waits for already, stands behind that. */
  #asked(ops: readonly Op[]): Asked[] {
    const asked: Asked[] = []
    const gone = new Set<Line>()
    const standing = new Set<string>()
    for (const op of ops) {
      const stored = storedOf(op)
      const lines = this.#lines(op).filter((line) => !gone.has(line))
      const held = lines.some(({ state }) => state === 'held')
      const queued = lines.find(({ state }) => state === 'queued')
      if (op.kind === 'look') {
        if (!held && queued && !standing.has(stored)) asked.push({ op, letter: 'l', line: queued })
      } else if (op.kind === 'remove') {
        gone.add(op.line)
        if (op.line.state === 'asked') this.#removed(op, false)
        else asked.push({ op, letter: op.line.state === 'held' ? 'f' : 'c', line: op.line })
      } else if (op.kind === 'acquire') {
        const behind = held || queued !== undefined || standing.has(stored)
        if (behind && !op.wait) this.#refuse(op)
        else asked.push({ op, letter: behind ? 's' : op.wait ? 'w' : 't', line: op.line })
        if (op.wait) standing.add(stored)
      }
    }
    return asked
  }

  #lines(op: Op): Line[] {
    const key = op.kind === 'look' ? op.key : op.line.key
    return [...this.#parts.ledger.at(key)].filter(({ stored }) => stored === storedOf(op))
  }

  #columns(asked: readonly Asked[]): readonly unknown[] {
    return [
      asked.map(({ letter }) => letter),
      asked.map(({ line }) => String(line.key)),
      asked.map(({ line }) => Number(BigInt.asIntN(32, line.key >> 32n))),
      asked.map(({ line }) => Number(BigInt.asIntN(32, line.key))),
      asked.map(({ line }) => this.#waiterOf(line)),
    ]
  }

  #waiterOf(line: Line): number {
    const number = this.#waiters.get(line) ?? randomInt(2 ** 31)
    this.#waiters.set(line, number)
    return number
  }

  #apply({ op, line }: Asked, answer: string, sent: Instant): void {
    if (op.kind === 'remove') {
      this.#removed(op, answer !== 'x')
      const next = this.#lines(op).find(({ state }) => state === 'queued')
      // If others wait too, all are told.
      if (next && answer === 'd') this.#parts.outbox.look(next)
    } else if (answer === 'g') {
      const grant = this.#hold(line, sent)
      if (op.kind === 'acquire') op.resolve(grant)
      else if (!line.removal) this.#parts.granted(grant)
    } else if (op.kind === 'acquire' && answer === 'q') {
      line.state = 'queued'
      op.resolve('queued')
    } else if (op.kind === 'acquire') {
      this.#refuse(op)
    }
  }

  #hold(line: Line, sent: Instant): Grant {
    line.state = 'held'
    return { id: line.claim.id, tokens: [], proof: this.#parts.proved(sent) }
  }

  #refuse({ line, resolve }: Acquire): void {
    this.#parts.ledger.delete(line)
    resolve(null)
  }

  #removed({ line, resolve }: Remove, found: boolean): void {
    this.#parts.ledger.delete(line)
    resolve(found)
  }
}
