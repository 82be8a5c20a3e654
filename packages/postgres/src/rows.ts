import type { Clock, Timer } from '@locks/core/backend'
import { hasRow, isUnseen, type Ledger, type Line } from './ledger.ts'
import type { Outbox } from './outbox.ts'

export interface RowsOptions {
  readonly clock: Clock
  readonly ledger: Ledger
  readonly outbox: Outbox
  /** Id and name of every row that the server has of the session. */
  readonly find: () => Promise<readonly (readonly unknown[])[]>
  readonly lost: (line: Line) => void
}

/** Milliseconds after which a lock gets its row: those that are freed sooner, which most are, are spared the cost. */
const unseenFor = 20

/** Sees to it that what the session has can be seen, and sees when somebody has deleted it. */
export class Rows {
  readonly #options: RowsOptions
  #timer: Timer | undefined
  #comparing = false
  #closed = false

  constructor(options: RowsOptions) {
    this.#options = options
  }

  /** Gives those a row who will have been held for a while. */
  addSoon(): void {
    if (this.#timer || this.#closed) return
    this.#timer = this.#options.clock.after(unseenFor, () => {
      this.#timer = undefined
      const now = this.#options.clock.now().mono
      const unseen = this.#unseen(undefined)
      const due = unseen.filter(({ grantedAt }) => now - grantedAt >= unseenFor)
      for (const line of due) this.#add(line)
      if (due.length < unseen.length) this.addSoon()
    })
  }

  /** Of one name, or of all; whether there are any. */
  addNow(stored: string | undefined): boolean {
    const unseen = this.#unseen(stored)
    for (const line of unseen) this.#add(line)
    return unseen.length > 0
  }

  /** Finds those whose rows are gone. */
  compare(): void {
    if (this.#comparing || this.#closed) return
    this.#comparing = true
    // By now, so that what is asked next can see them.
    const expected = [...this.#options.ledger.all].filter((line) => hasRow(line) && !line.removal)
    this.#compare(expected)
      .catch(() => {})
      .finally(() => (this.#comparing = false))
  }

  close(): void {
    this.#closed = true
    this.#timer?.cancel()
  }

  async #compare(expected: readonly Line[]): Promise<void> {
    const { find, ledger, lost } = this.#options
    const there = new Set((await find()).map(([id]) => String(id)))
    if (this.#closed) return
    for (const line of expected) {
      if (!there.has(line.claim.id) && ledger.has(line) && !line.removal) lost(line)
    }
  }

  #unseen(stored: string | undefined): Line[] {
    return [...this.#options.ledger.all].filter((line) => {
      return isUnseen(line) && !line.removal && (stored === undefined || line.stored === stored)
    })
  }

  #add(line: Line): void {
    if (line.registering) return
    line.registering = true
    this.#options.outbox.push({
      kind: 'register',
      line,
      heldFor: () => this.#options.clock.now().mono - line.grantedAt,
    })
  }
}
