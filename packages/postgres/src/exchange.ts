import { checkKind, type Clock, type Grant, type Instant, type Proof } from '@locks/core/backend'
import {
  areFrees,
  areShort,
  columnsOf,
  freedBy,
  inOrder,
  keyOf,
  takenBy,
  type Acquire,
  type Op,
  type Remove,
} from './batch.ts'
import type { Connection } from './connection.ts'
import { failureOf, isUndone } from './failures.ts'
import { grantOf, type Ledger, type Line } from './ledger.ts'
import type { Statements } from './statements.ts'

export interface ExchangeOptions {
  readonly clock: Clock
  readonly connection: Connection
  readonly statements: Statements
  readonly ledger: Ledger
  /** What the answer to a statement proves that left then. */
  readonly proved: (sent: Instant) => Proof
  /** Somebody who waited was granted. */
  readonly granted: (grant: Grant) => void
  /** Somebody has a lock that has no row yet. */
  readonly unseen: () => void
  /** A lock is gone that nobody has released. */
  readonly lost: (line: Line) => void
  /** What the server has of the session cannot be found out. */
  readonly broken: (error: unknown) => void
  /** Somebody who waits may be granted by now. */
  readonly look: (line: Line) => void
}

/** What is wanted of the server goes out in one statement, and what it answers is noted and told. */
export class Exchange {
  readonly #options: ExchangeOptions
  /** Keys that the session may have locked more often than it knows, since a statement failed. */
  readonly #dirty = new Set<bigint>()

  constructor(options: ExchangeOptions) {
    this.#options = options
  }

  /** Settles when all of it has been answered, one way or the other. */
  async send(ops: readonly Op[]): Promise<void> {
    try {
      await this.#send(ops)
    } catch (error) {
      await this.#failed(ops, error)
    }
  }

  /** The lock under a key is to be freed as often as it was taken, when the session wants it no more. */
  soil(key: bigint): void {
    this.#dirty.add(key)
    this.#clean(key)
  }

  async #send(ops: readonly Op[]): Promise<void> {
    const { connection, statements, ledger, clock } = this.#options
    let sent = clock.now()
    const leaving = (values: () => readonly unknown[]) => () => {
      sent = clock.now()
      return values()
    }
    const sorted = inOrder(ops)
    // Nearly all calls are of these two kinds.
    if (areShort(sorted, ledger)) {
      const answers = await connection.run(
        sorted.length === 1 ? statements.take : statements.takeAll,
        leaving(() => takenBy(sorted)),
      )
      for (const [at, [answer]] of answers.entries()) {
        const text = answer as string
        this.#answer(sorted[at] as Acquire, text.slice(0, 1), text.slice(1), sent)
      }
    } else if (areFrees(sorted)) {
      const answers = await connection.run(
        sorted.length === 1 ? statements.free : statements.freeAll,
        leaving(() => freedBy(sorted)),
      )
      for (const [at, [answer]] of answers.entries()) {
        const granted = answer as readonly string[] | null
        for (const each of granted ?? []) {
          const [id = '', token = ''] = each.split(' ')
          this.#grantWaiting(id, token, sent)
        }
        this.#removed(sorted[at] as Remove, granted?.length !== 0)
      }
    } else {
      const answers = await connection.run(
        statements.run,
        leaving(() => columnsOf(sorted, ledger)),
      )
      for (const [at, what, id, number] of answers) {
        this.#apply(sorted[Number(at)] as Op, String(what), String(id), String(number), sent)
      }
      for (const op of sorted) if (op.kind === 'register') op.line.row = true
    }
  }

  #apply(op: Op, what: string, id: string, number: string, sent: Instant): void {
    if (op.kind === 'remove' && what !== 'g') this.#removed(op, what === 'd')
    else if (op.kind === 'acquire') this.#answer(op, what, number, sent)
    else this.#grantWaiting(id, number, sent)
  }

  #answer(op: Acquire, what: string, number: string, sent: Instant): void {
    const { line, resolve } = op
    switch (what) {
      case 'f':
      case 'g':
        return this.#grant(op, number, sent, what === 'g')
      case 'q':
        line.state = 'queued'
        resolve('queued')
        // Whoever has the lock may have freed it before this row was there to be seen.
        if (number === '1') this.#options.look(line)
        return
      case 'n':
        this.#options.ledger.delete(line)
        return resolve(null)
      default:
        this.#options.ledger.delete(line)
        return this.#refuse(op, Number(number))
    }
  }

  #refuse({ line, resolve, reject }: Acquire, limit: number): void {
    try {
      const there = limit === 0 ? { mode: 'exclusive' as const } : { mode: 'permit' as const, permits: limit }
      checkKind(line.claim.names[0] ?? '', line.contender, there)
      resolve(null)
    } catch (error) {
      reject(error)
    }
  }

  #grant({ line, resolve }: Acquire, token: string, sent: Instant, row: boolean): void {
    resolve(this.#hold(line, token, sent, row))
    if (!row) this.#options.unseen()
  }

  /** Also of one that is being removed: then nobody is told. */
  #grantWaiting(id: string, token: string, sent: Instant): void {
    const line = this.#options.ledger.get(id)
    if (!line) return
    const grant = this.#hold(line, token, sent, true)
    if (!line.removal) this.#options.granted(grant)
  }

  #hold(line: Line, token: string, sent: Instant, row: boolean): Grant {
    line.state = 'held'
    line.row = row
    line.token = BigInt(token)
    line.grantedAt = sent.mono
    return grantOf(line, this.#options.proved(sent))
  }

  #removed({ line, resolve }: Remove, found: boolean): void {
    this.#options.ledger.delete(line)
    resolve(found)
    this.#clean(line.key)
  }

  #clean(key: bigint): void {
    const { ledger, connection, statements, broken } = this.#options
    if (!this.#dirty.has(key) || ledger.holdsAt(key)) return
    // By the time that it leaves, what is under way now may have got a lock there.
    const unwanted = () => {
      if (ledger.holdsAt(key)) return [[], []]
      this.#dirty.delete(key)
      return [[String(key)], []]
    }
    connection.run(statements.reconcile, unwanted, true).catch(broken)
  }

  /** What a statement has changed is undone with it, but for the advisory locks that it has taken and freed. */
  async #failed(ops: readonly Op[], error: unknown): Promise<void> {
    const { ledger, broken } = this.#options
    const keys = [...new Set(ops.map(keyOf))]
    const kept = keys.filter((key) => ledger.holdsAt(key))
    const unwanted = keys.filter((key) => !kept.includes(key))
    for (const key of kept) this.#dirty.add(key)
    if (isUndone(error)) await this.#reconcile(unwanted, kept).catch(broken)
    else broken(error)
    for (const op of ops) {
      if (op.kind === 'acquire') ledger.delete(op.line)
      if (op.kind === 'register') op.line.registering = false
      if ('reject' in op) op.reject(failureOf(error))
    }
  }

  async #reconcile(unwanted: readonly bigint[], kept: readonly bigint[]): Promise<void> {
    const { connection, statements, ledger, lost } = this.#options
    const values = [unwanted.map(String), kept.map(String)]
    for (const [missing] of await connection.run(statements.reconcile, () => values, true)) {
      for (const line of [...ledger.at(BigInt(String(missing)))]) if (line.state === 'held') lost(line)
    }
  }
}
