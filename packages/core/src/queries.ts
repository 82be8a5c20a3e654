import { backoff, settledWithin, within } from './attempts.ts'
import { elapsed, type Clock } from './clock.ts'
import type { Entry, Session } from './contract.ts'
import { LockError } from './errors.ts'
import { internal } from './keeper.ts'
import type { Lanes } from './lanes.ts'
import type { Random } from './random.ts'
import { settleWithin } from './removals.ts'

export interface QueriesHost {
  readonly clock: Clock
  readonly random: Random
  readonly lanes: Lanes
  readonly connectTimeout: number
  /** A session, or a rejection that says why there is none. */
  ready(): Promise<Session>
}

/** Questions to the store, asked again while it cannot be reached, and ended with the manager. */
export class Queries {
  readonly #host: QueriesHost
  readonly #pending = new Set<(error: LockError) => void>()

  constructor(host: QueriesHost) {
    this.#host = host
  }

  ask(name: string | undefined): Promise<readonly Entry[]> {
    return new Promise((resolve, reject) => {
      this.#pending.add(reject)
      this.#ask(name)
        .then(resolve, reject)
        .finally(() => this.#pending.delete(reject))
    })
  }

  close(why: LockError): void {
    for (const reject of this.#pending) reject(why)
  }

  async #ask(name: string | undefined): Promise<readonly Entry[]> {
    const { clock, connectTimeout, lanes, random } = this.#host
    const started = clock.now()
    for (let attempt = 1; ; attempt++) {
      const session = await this.#host.ready()
      const left = Math.max(0, connectTimeout - elapsed(started, clock.now()))
      const late = () => new LockError('UNAVAILABLE', `no answer within ${connectTimeout} ms`)
      try {
        // Every earlier call of this manager about it is to be seen, unless the store does not answer that.
        await settledWithin(clock, lanes.idle(name), Math.min(left, settleWithin))
        return await within(clock, session.query(name), left, late)
      } catch (error) {
        const why = LockError.find(error) ?? internal(error)
        const pause = backoff(attempt, random)
        if (!why.temporary || pause > left) throw why
        await new Promise<void>((resolve) => clock.after(pause, resolve))
      }
    }
  }
}
