import { tokenSpacing } from '@locks/core/backend'
import type { Belief, Wish } from './belief.ts'
import type { Call, Client } from './client.ts'
import { clockError } from './schedule.ts'
import type { World } from './world.ts'

const spacing = BigInt(tokenSpacing)

/** The token of the grant by which a lock is held, for whoever it was handed on to: the store mints them so far apart. */
export const grantOf = (token: bigint): bigint => token - (token % spacing)

/** Milliseconds after the grant up to which it may be handed on, by a clock that may be slow. */
const longestTenure = 1_000 / (1 - clockError) + 20

/** What passes from hand to hand: one grant of the store. */
interface Entry {
  /** Of the request that was granted. */
  readonly id: string
  /** True time of its first holder. */
  readonly since: number
  newest: bigint
}

/** What a client may hand over locally, and whether it does so as it must. */
export class Hands {
  readonly #client: Client
  readonly #world: World
  readonly #entries = new Map<bigint, Entry>()

  constructor(client: Client, world: World) {
    this.#client = client
    this.#world = world
  }

  /** The names of a call for which it may stand in line, with one entry at the store for all who do. */
  inLine({ wish: { names, mode, steal }, waits }: Pick<Call, 'wish' | 'waits'>): readonly string[] {
    const { handover, sets } = this.#client
    const apart = names.length === 1 || sets === 'ordered'
    return handover && apart && mode === 'exclusive' && waits && !steal ? names : []
  }

  /** Whether a call is not known to ask at the store at once. */
  isBehind(call: Call): boolean {
    const [name] = this.inLine(call)
    if (name === undefined) return false
    const before = [...this.#client.calls].filter((other) => other !== call)
    return [...before, ...this.#client.beliefs].some((each) => this.inLine(each).includes(name))
  }

  /** Whether a release may hand its lock on. */
  hasHeir(wish: Wish): boolean {
    return [...this.#client.calls].some((call) => this.inLine(call).some((name) => wish.names.includes(name)))
  }

  /** Who has had a lock last by the same grant, as far as anybody has been told. */
  newest(token: bigint): bigint {
    return this.#entries.get(grantOf(token))?.newest ?? token
  }

  /** Its entry's id; undefined where others know it by theirs. */
  idOf(token: bigint): string | undefined {
    return this.#entries.get(grantOf(token))?.id
  }

  /** A client is given a lock. */
  given(call: Call, { tokens, lock, machine }: Belief): void {
    const { now } = this.#world
    this.#checkOrder(call)
    for (const token of tokens.values()) {
      const entry = this.#entries.get(grantOf(token)) ?? { id: call.id, since: now, newest: token }
      this.#entries.set(grantOf(token), entry)
      entry.newest = token
      if (token === grantOf(token)) continue
      const { name } = machine
      if (this.inLine(call).length === 0)
        this.#world.violated('in line', `${name}: ${call.id} was handed ${token}, and did not stand in line`)
      // A clock that has run on meanwhile was not read for this; a set may have had one name long before the other.
      if (machine.busy || tokens.size > 1) continue
      if (lock.atRisk) this.#world.violated('fresh', `${name}: ${token} was handed on at risk`)
      if (now - entry.since > longestTenure)
        this.#world.violated('bounded', `${name}: ${token} was handed on ${now - entry.since} ms after its grant`)
    }
  }

  /** Whoever stands in line is served in the order of the calls. (A set may wait for its other name.) */
  #checkOrder(call: Call): void {
    const [name] = this.inLine(call)
    if (call.wish.names.length > 1 || name === undefined) return
    const earlier = [...this.#client.calls].find((other) => {
      return this.inLine(other).includes(name) && other.wish.names.length === 1 && !other.abort?.signal.aborted
    })
    if (earlier && earlier.at < call.at)
      this.#world.violated('in line', `${call.id} was served before ${earlier.id}, which was called before it`)
  }
}
