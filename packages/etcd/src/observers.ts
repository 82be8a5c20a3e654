import type { ITxnRequest, ITxnResponse } from 'etcd3'
import type { Keys } from './keys.ts'
import * as txn from './transactions.ts'
import type { Watches } from './watches.ts'

export interface ObserversOptions {
  readonly keys: Keys
  readonly watches: Watches
  readonly run: (request: ITxnRequest) => Promise<ITxnResponse>
}

/** A name that is observed. */
interface Observed {
  readonly told: Set<() => void>
  /** Settles when every later change will be told. */
  begun: Promise<void>
  unwatch: () => void
}

/**
 * Whoever is to be told that a name may have another leader: one watch a name, however many observe it here, and apart from
 * that of those who wait for it. Who leads holds alone, so only such keys are watched; who waits is nobody's news.
 */
export class Observers {
  readonly #options: ObserversOptions
  readonly #all = new Map<string, Observed>()

  constructor(options: ObserversOptions) {
    this.#options = options
  }

  async watch(name: string, changed: () => void): Promise<() => void> {
    const observed = this.#all.get(name) ?? this.#begin(name)
    // Its own: the same function may watch twice.
    const told = () => changed()
    observed.told.add(told)
    await observed.begun
    return () => {
      if (!observed.told.delete(told) || observed.told.size > 0) return
      this.#all.delete(name)
      observed.unwatch()
    }
  }

  #begin(name: string): Observed {
    const observed: Observed = { told: new Set(), begun: Promise.resolve(), unwatch: () => {} }
    this.#all.set(name, observed)
    observed.begun = this.#options.run({ success: [txn.list(this.#options.keys.alone(name), 1)] }).then(
      // In force without waiting for the stream: whatever comes after this revision will come on it, however late.
      ({ header }) => this.#listen(name, observed, BigInt(header.revision)),
      (error: unknown) => {
        this.#all.delete(name)
        throw error
      },
    )
    return observed
  }

  #listen(name: string, observed: Observed, seen: bigint): void {
    const { keys, watches } = this.#options
    const tell = () => observed.told.forEach((told) => told())
    observed.unwatch = watches.watch(keys.alone(name), seen + 1n, {
      heard: tell,
      // What came before this stream will come again; but streams have been seen to lose events and not say so.
      remade: tell,
      lost: (compacted) => {
        this.#listen(name, observed, compacted)
        tell()
      },
    })
  }
}
