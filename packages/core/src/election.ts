import { checkCampaign, checkObserve, type CampaignOptions, type Demand, type ObserveOptions } from './demand.ts'
import type { Engine } from './engine.ts'
import { inscribe, reignIn, type Leader } from './leaders.ts'
import type { Lease } from './lease.ts'
import { LeaseLock, type Lock } from './lock.ts'
import { encodeName } from './names.ts'

/** The lock that a leader holds: it leads for as long as `held` says so, and everything said of a lock is true of it. */
export interface Leadership extends Lock {
  /** What it campaigned with. */
  readonly value: string
  /** Steps down: the same as `release`. */
  resign(): Promise<'released' | 'lost'>
}

/**
 * At most one leader of a name, among all who campaign for it. An election is the exclusive lock of that name, held with a
 * value: whoever holds the name as a plain lock keeps campaigns waiting, and is nobody's leader.
 */
export class Election {
  readonly name: string
  readonly #engine: Engine
  readonly #acquire: (demand: Demand) => Promise<Lease>

  constructor(name: string, engine: Engine, acquire: (demand: Demand) => Promise<Lease>) {
    this.name = name
    this.#engine = engine
    this.#acquire = acquire
  }

  /** Waits until it leads. Rejects with `TIMEOUT`, with the signal's reason, or when the backend refuses. */
  async campaign(options?: CampaignOptions): Promise<Leadership> {
    const { value, demand } = checkCampaign(options)
    const lease = await this.#acquire({ ...demand, value: inscribe(this.#engine.random.id(), value) })
    return new LeaseLeadership(this.#engine, lease, value)
  }

  /** Who leads now, as the store says when it is asked; null if nobody does. */
  async leader(): Promise<Leader | null> {
    return reignIn(await this.#engine.query(encodeName(this.name)))?.leader ?? null
  }

  /**
   * Who leads now, and then each change as the store tells of it; null while nobody leads. Whoever reads slowly is given
   * the newest: leaders may be passed over, and none comes twice in a row. The store is asked three times a ttl in any
   * case, so that news that was lost is only late. While it cannot be reached nothing comes. Leaving the loop ends it;
   * it rejects with the signal's reason, with `CLOSED`, or when the backend refuses for good.
   */
  observe(options?: ObserveOptions): AsyncIterableIterator<Leader | null, undefined> {
    const { signal } = checkObserve(options)
    return this.#engine.observe(encodeName(this.name), signal)
  }
}

class LeaseLeadership extends LeaseLock implements Leadership {
  readonly value: string

  constructor(engine: Engine, lease: Lease, value: string) {
    super(engine, lease)
    this.value = value
  }

  resign(): Promise<'released' | 'lost'> {
    return this.release()
  }
}
