import { decodeName, type Clock, type Entry, type Mode } from '@locks/core/backend'
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
      const found = rows.map((row) => this.#entryOf(row))
      if (unseen.length === 0 || found.some(({ mode, holds }) => name !== undefined && holds && mode === 'exclusive')) {
        return found
      }
      if (clock.now().mono > until) return name === undefined ? found : [...holdersOf(name, unseen), ...found]
      await new Promise<void>((resolve) => clock.after(5, resolve))
    }
  }

  #entryOf([stored, letter, permits, weight, client, owner, holds, token, since]: Row): Entry {
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
    }
  }
}

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
