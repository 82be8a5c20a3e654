import { checkKind, type Clock, type Grant, type Instant } from '@locks/core/backend'
import { columnsOf, inOrder, keyOf, mayGoUnseen, type Acquire, type Look, type Op, type Remove } from './batch.ts'
import type { Connection } from './connection.ts'
import { failureOf, isUndone } from './failures.ts'
import { isUnseen, type Ledger, type Line } from './ledger.ts'
import type { Statements } from './statements.ts'

export interface OutboxOptions {
  readonly clock: Clock
  readonly ttl: number
  readonly connection: Connection
  readonly statements: Statements
  readonly ledger: Ledger
  /** Somebody who waited was granted. */
  granted(grant: Grant): void
  /** Somebody has a lock that has no row yet. */
  unseen(line: Line): void
  /** What the server has is not what it should be, and what it is cannot be found out. */
  broken(error: unknown): void
  /** A lock is gone that nobody has released. */
  lost(line: Line): void
}

/** So many at once: others wait for their turn meanwhile, and a statement that leaves in one piece arrives in one piece. */
const most = 64

/** All that is wanted of the server, in the order in which it came: what gathers while one statement is under way is the next. */
export class Outbox {
  readonly #options: OutboxOptions
  #ops: Op[] = []
  #busy = false
  #scheduled = false
  #closed = false
  readonly #idle: (() => void)[] = []
  /** Keys that the session may have locked more often than it knows, since a statement failed. */
  readonly #dirty = new Set<bigint>()

  constructor(options: OutboxOptions) {
    this.#options = options
  }

  push(op: Op): void {
    this.#ops.push(op)
    this.#schedule()
  }

  /** Withdraws a request that has not left. */
  withdraw(line: Line): boolean {
    const at = this.#ops.findIndex((op) => op.kind === 'acquire' && op.line === line)
    if (at < 0) return false
    const [op] = this.#ops.splice(at, 1)
    ;(op as Acquire).resolve(null)
    return true
  }

  /** Settles when all that is wanted by now has been answered. */
  idle(): Promise<void> {
    if (!this.#busy && this.#ops.length === 0) return Promise.resolve()
    return new Promise((resolve) => this.#idle.push(resolve))
  }

  /** Sends nothing more. */
  close(why: unknown): void {
    this.#closed = true
    for (const op of this.#ops.splice(0)) if ('reject' in op) op.reject(why)
    this.#settleIdle()
  }

  /** In the same tick many are asked for and released: they go together. */
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
    const [first] = ops
    if (!first) return this.#settleIdle()
    this.#busy = true
    this.#send(ops, first)
      .catch((error: unknown) => this.#failed(ops, error))
      .finally(() => {
        this.#busy = false
        this.#schedule()
        if (this.#ops.length === 0) this.#settleIdle()
      })
  }

  #take(): Op[] {
    const taken: Op[] = []
    let at = 0
    for (; at < this.#ops.length && taken.length < most; at++) {
      const op = this.#ops[at] as Op
      if (op.kind === 'look' || this.#isCurrent(op)) taken.push(op)
      else if (op.kind === 'remove') op.resolve(false)
    }
    this.#ops.splice(0, at)
    return taken
  }

  #isCurrent(op: Exclude<Op, Look>): boolean {
    return this.#options.ledger.has(op.line) && (op.kind !== 'register' || isUnseen(op.line))
  }

  async #send(ops: readonly Op[], first: Op): Promise<void> {
    const { connection, statements, ledger, clock } = this.#options
    let sent = clock.now()
    const leaving = (values: () => readonly unknown[]) => () => {
      sent = clock.now()
      return values()
    }
    // Nearly all calls are one of these two.
    if (ops.length === 1 && mayGoUnseen(first, ledger, 1)) {
      const [[token] = []] = await connection.run(
        statements.take,
        leaving(() => [String(first.line.key)]),
      )
      if (token === null) this.#ops.unshift({ ...first, slow: true })
      else this.#grant(first, token as string, sent, false)
    } else if (ops.length === 1 && first.kind === 'remove' && isUnseen(first.line)) {
      const rows = await connection.run(
        statements.free,
        leaving(() => [String(first.line.key)]),
      )
      for (const [id, number] of rows) if (id !== null) this.#grantWaiting(String(id), number as string, sent)
      this.#removed(first, !rows.some(([id]) => id === null))
    } else {
      const sorted = inOrder(ops)
      const rows = await connection.run(
        statements.run,
        leaving(() => columnsOf(sorted, ledger)),
      )
      for (const [at, what, id, number] of rows) {
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
    const { line } = op
    switch (what) {
      case 'f':
      case 'g':
        return this.#grant(op, number, sent, what === 'g')
      case 'q':
        line.state = 'queued'
        op.resolve('queued')
        // Whoever has the lock may have freed it before this row was there to be seen.
        if (number === '1') this.push({ kind: 'look', key: line.key, stored: line.stored })
        return
      case 'n':
        this.#options.ledger.delete(line)
        return op.resolve(null)
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
    if (!row) this.#options.unseen(line)
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
    line.proof = { sent, ttl: this.#options.ttl }
    return { id: line.claim.id, tokens: [line.token], proof: line.proof }
  }

  #removed(op: Remove, found: boolean): void {
    this.#options.ledger.delete(op.line)
    op.resolve(found)
    this.clean(op.line.key)
  }

  /** The last lock under a key that may have been taken too often is gone: so must all of it be. */
  clean(key: bigint): void {
    const { ledger, connection, statements } = this.#options
    if (!this.#dirty.has(key) || ledger.holdsAt(key)) return
    this.#dirty.delete(key)
    connection
      .run(statements.reconcile, () => [[String(key)], []], true)
      .catch((error: unknown) => {
        this.#options.broken(error)
      })
  }

  /** The lock under a key is to be freed by `clean`. */
  soil(key: bigint): void {
    this.#dirty.add(key)
  }

  /** What a statement has changed is undone with it, but for the advisory locks that it has taken and freed. */
  async #failed(ops: readonly Op[], error: unknown): Promise<void> {
    const why = failureOf(error)
    if (!isUndone(error)) {
      for (const op of ops) if ('reject' in op) op.reject(why)
      return this.#options.broken(error)
    }
    const { ledger } = this.#options
    const keys = [...new Set(ops.map(keyOf))]
    const kept = keys.filter((key) => ledger.holdsAt(key))
    for (const key of kept) this.#dirty.add(key)
    try {
      await this.#reconcile(
        keys.filter((key) => !kept.includes(key)),
        kept,
      )
    } catch (failure) {
      this.#options.broken(failure)
    }
    for (const op of ops) {
      if (op.kind === 'acquire') ledger.delete(op.line)
      if (op.kind === 'register') op.line.registering = false
      if ('reject' in op) op.reject(why)
    }
  }

  async #reconcile(unwanted: readonly bigint[], kept: readonly bigint[]): Promise<void> {
    const { connection, statements, ledger } = this.#options
    const values = [unwanted.map(String), kept.map(String)]
    for (const [missing] of await connection.run(statements.reconcile, () => values, true)) {
      for (const line of [...ledger.at(BigInt(String(missing)))]) if (line.state === 'held') this.#options.lost(line)
    }
  }

  #settleIdle(): void {
    for (const resolve of this.#idle.splice(0)) resolve()
  }
}
