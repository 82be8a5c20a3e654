import type { Claim, Entry, Instant } from '@locks/core/backend'
import type { Op } from './batch.ts'
import { Entries } from './entries.ts'
import { Exchange } from './exchange.ts'
import type { Form, FormParts } from './form.ts'
import { isUnseen, type Line } from './ledger.ts'
import { Rows } from './rows.ts'
import { statementsOf, type Statements } from './statements.ts'

/** With tables: whoever waits has a row, and whoever holds for a while. */
export class Queued implements Form {
  readonly #parts: FormParts
  readonly #statements: Statements
  readonly #exchange: Exchange
  readonly #rows: Rows
  readonly #entries: Entries

  constructor(parts: FormParts, schema: string, number: number) {
    const { listener, outbox } = parts
    this.#parts = parts
    this.#statements = statementsOf(schema, number)
    const lost = (line: Line) => this.#lost(line)
    this.#rows = new Rows({ ...parts, lost, find: () => listener.run(this.#statements.rows, []) })
    this.#exchange = new Exchange({
      ...parts,
      connection: parts.lock,
      statements: this.#statements,
      unseen: () => this.#rows.addSoon(),
      look: (line) => outbox.look(line),
      lost,
    })
    this.#entries = new Entries({ ...parts, statements: this.#statements })
  }

  joins(): boolean {
    return true
  }

  send(ops: readonly Op[]): Promise<void> {
    return this.#exchange.send(ops)
  }

  /** Also whether its rows are there. */
  async beat(): Promise<Instant> {
    const { clock, lock, ledger } = this.#parts
    let [sent, expected] = [clock.now(), 0]
    const leaving = () => {
      ;[sent, expected] = [clock.now(), ledger.rows]
      return []
    }
    const [[count] = []] = await lock.run(this.#statements.count, leaving, true)
    if (Number(count) < expected) this.#rows.compare()
    return sent
  }

  async query(name: string | undefined): Promise<readonly Entry[]> {
    const { outbox, keys } = this.#parts
    // Every earlier call is to be seen: when it has been answered, what it got must have a row.
    await outbox.idle()
    if (this.#rows.addNow(name === undefined ? undefined : keys.stored(name))) await outbox.idle()
    return this.#entries.find(name)
  }

  async own(): Promise<readonly Claim[]> {
    const { keys, listener } = this.#parts
    const found = await listener.run(this.#statements.rows, [])
    const rows = found.map(([id, stored]) => ({ id: String(id), names: [keys.given(String(stored))] }))
    return [...rows, ...this.#unseen().map(({ claim }) => claim)]
  }

  async leave(): Promise<void> {
    const { lock } = this.#parts
    await lock.run('SET statement_timeout = 0')
    await lock.run(this.#statements.leave, () => [this.#unseen().map(({ key }) => String(key))])
  }

  close(): void {
    this.#rows.close()
    this.#entries.close()
  }

  #unseen(): Line[] {
    return [...this.#parts.ledger.all].filter(isUnseen)
  }

  /** Somebody has deleted its row, or it was freed by a statement that was then undone. */
  #lost(line: Line): void {
    this.#parts.ledger.delete(line)
    this.#exchange.soil(line.key)
    this.#parts.lost(line)
  }
}
