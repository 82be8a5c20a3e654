import { decodeName, granted, type Clock, type Entry, type Mode, type Timer } from '@locks/core/backend'
import { unavailable } from './failures.ts'
import type { Keys } from './keys.ts'
import type { Listener } from './listener.ts'
import type { Statements } from './statements.ts'

export interface EntriesOptions {
  readonly clock: Clock
  readonly keys: Keys
  readonly namespace: string
  readonly listener: Listener
  readonly statements: Statements
}

type Row = readonly unknown[]

const modes: Readonly<Record<string, Mode>> = { e: 'exclusive', s: 'shared', p: 'permit' }
/** Milliseconds for which others are waited for who have a lock that has no row yet: many times what it takes. */
const unseenWithin = 500

/** What the rows say of who holds and who waits. */
export class Entries {
  readonly #options: EntriesOptions
  readonly #timers = new Set<Timer>()
  #closed = false

  constructor(options: EntriesOptions) {
    this.#options = options
  }

  /**
   * Of one name, or of all. A lock without a row is about to get one, or to be freed: whoever asks for a name waits for
   * that, and then is told what is known of it.
   */
  async find(name: string | undefined): Promise<Entry[]> {
    const { clock, listener, statements, keys, namespace } = this.#options
    const values = [namespace, name === undefined ? null : String(keys.key(name))]
    const stored = name === undefined ? null : keys.stored(name)
    const until = clock.now().mono + unseenWithin
    for (;;) {
      // In this order: what has got its row in between is seen there.
      const unseen = await listener.run(statements.unseen, values)
      const rows = await listener.run(statements.entries, [...values, stored])
      const settled = unseen.length === 0 || (name !== undefined && rows.some(isExclusiveHolder))
      if (settled) return this.#entriesOf(rows, noKeys)
      if (clock.now().mono > until) {
        const found = this.#entriesOf(rows, new Set(unseen.map(([key]) => key)))
        return name === undefined ? found : [...holdersOf(name, unseen), ...found]
      }
      await this.#pause()
    }
  }

  close(): void {
    this.#closed = true
    for (const timer of this.#timers) timer.cancel()
  }

  #pause(): Promise<void> {
    if (this.#closed) throw unavailable('the session was closed')
    return new Promise((resolve) => {
      const timer = this.#options.clock.after(5, () => {
        this.#timers.delete(timer)
        resolve()
      })
      this.#timers.add(timer)
    })
  }

  /**
   * Whose turn it is holds, also if he has not said yet that he has heard of it: nobody else can have it. But whoever has a
   * lock without a row, or under the same key in another name, stands before all rows; and nobody leads before he has his
   * token.
   */
  #entriesOf(rows: readonly Row[], locked: ReadonlySet<unknown>): Entry[] {
    const names = Map.groupBy(rows, ([, stored]) => stored)
    return [...names.values()].flatMap((queue) => {
      const entries = queue.map((row) => this.#entryOf(row))
      if (queue.some((row) => locked.has(row[0]) || row[10] === true)) return entries
      const holders = new Set(granted(entries))
      const holds = (entry: Entry) => entry.holds || (entry.value === undefined && holders.has(entry))
      return entries.map((entry) => ({ ...entry, holds: holds(entry) }))
    })
  }

  #entryOf([, stored, letter, permits, weight, client, owner, holds, token, since, , value]: Row): Entry {
    const mode = modes[String(letter)] ?? 'exclusive'
    return {
      name: this.#options.keys.given(String(stored)),
      mode,
      ...(mode === 'permit' && { permits: Number(permits), weight: Number(weight) }),
      clientId: String(client),
      owner: decodeName(String(owner)),
      holds: holds === true,
      ...(holds === true && { token: BigInt(String(token)) }),
      since: Number(since),
      ...(typeof value === 'string' && { value: decodeName(value) }),
    }
  }
}

const noKeys: ReadonlySet<unknown> = new Set()
const isExclusiveHolder = ([, , letter, , , , , holds]: Row): boolean => letter === 'e' && holds === true

/** Whoever has a name's lock and has not said so: a process that was stopped in its first moments, most likely. */
function holdersOf(name: string, unseen: readonly Row[]): Entry[] {
  return unseen.map(([, client, owner]) => ({
    name,
    mode: 'exclusive',
    clientId: String(client),
    owner: decodeName(String(owner)),
    holds: true,
  }))
}
