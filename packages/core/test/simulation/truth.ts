import { LockError } from '@locks/core'
import type { Belief, Wish } from './belief.ts'
import { grantOf } from './hands.ts'
import { clockError } from './schedule.ts'
import type { Server } from './server.ts'
import type { World } from './world.ts'

/** For how long a running program may go without hearing that its lock is lost, ms. */
const toldWithin = 1_000

/** What the clients believe, against what the store keeps, at every moment. */
export class Truth {
  readonly #world: World
  readonly #server: Server
  #beliefs: Belief[] = []

  constructor(world: World, server: Server) {
    this.#world = world
    this.#server = server
  }

  add(belief: Belief): void {
    this.#beliefs.push(belief)
  }

  keeps(tokens: Iterable<bigint>): boolean {
    const grants = this.#server.grants()
    return [...tokens].some((token) => grants.has(grantOf(token)))
  }

  /** Whether a declared fault has taken one of these from its holder. */
  forfeited(tokens: Iterable<bigint>): boolean {
    return [...tokens].some((token) => this.#server.forfeited.has(grantOf(token)))
  }

  check(): void {
    if (this.#beliefs.length === 0) return
    const grants = this.#server.grants()
    const sure = new Set<Belief>()
    this.#beliefs = this.#beliefs.filter((belief) => {
      if (!belief.machine.alive) return false
      if (!belief.held) return this.#watchesLost(belief)
      if (belief.released === true)
        this.#world.violated('release', `${belief.machine.name}: holds what it has released`)
      if (belief.seenLost) this.#world.violated('revived', `${belief.machine.name}: holds again what was lost`)
      if (this.#backed(belief, grants)) sure.add(belief)
      return true
    })
    const held = this.#beliefs.filter((belief) => belief.held)
    for (const [at, one] of held.entries()) {
      for (const other of held.slice(at + 1)) {
        const certain = sure.has(one) && sure.has(other)
        if ((certain || robs(one, other) || robs(other, one)) && conflict(one.wish, other.wish)) {
          this.#world.violated('exclusion', `${one.machine.name} and ${other.machine.name} hold one name`)
        }
      }
    }
  }

  /** Whether the store keeps what somebody believes to hold; false where a declared fault has taken it from them. */
  #backed({ tokens, machine, ttl }: Belief, grants: ReturnType<Server['grants']>): boolean {
    let certain = true
    for (const [name, token] of tokens) {
      const forfeited = this.#server.forfeited.get(grantOf(token))
      if (forfeited !== undefined) {
        certain = false
        if (this.#world.now > forfeited + ttl / (1 - clockError)) {
          this.#world.violated('told', `${machine.name}: still believes in ${token}, which was taken from it long ago`)
        }
      } else if (!grants.has(grantOf(token))) {
        this.#world.violated('held', `${machine.name}: believes in ${token} of ${name}, which the store does not keep`)
      }
    }
    return certain
  }

  /** Whether what is not held any more is to be looked at again: it may revive, and its holder has to be told. */
  #watchesLost(belief: Belief): boolean {
    const { machine, released, aborts, lock, ttl } = belief
    belief.lostAt ??= machine.awake
    if (aborts > (released === true ? 0 : 1)) {
      this.#world.violated(
        'signal',
        `${machine.name}: a signal aborted ${aborts} times${released ? ' after a release' : ''}`,
      )
    }
    if (aborts > 0 && !LockError.is(lock.signal.reason, 'LOST')) {
      this.#world.violated('signal', `${machine.name}: a signal aborted without LOST`)
    }
    const told = released !== false || belief.told()
    if (!told && machine.awake > belief.lostAt + toldWithin) {
      this.#world.violated('signal', `${machine.name}: was not told in time that a lock is lost`)
    }
    return machine.awake < belief.lostAt + 2 * ttl
  }

  /** When the next of the store's grants expires, true time: whoever believes in it then is wrong. */
  nextExpiry(): number {
    let first = Number.POSITIVE_INFINITY
    for (const { tokens, sent, owner } of this.#server.claims()) {
      if (!tokens) continue
      const at = this.#server.machine.trueTimeOf(sent, owner.ttl)
      if (at > this.#world.now) first = Math.min(first, at)
    }
    return first
  }
}

/** Who is robbed within one manager knows it no later than the thief. */
function robs(thief: Belief, victim: Belief): boolean {
  if (!thief.wish.steal || thief.machine !== victim.machine) return false
  return [...thief.tokens].some(([name, token]) => token > (victim.tokens.get(name) ?? token))
}

/** Whether two may not hold at the same time. A semaphore's holders are counted by the store's own entries. */
export function conflict(one: Wish, other: Wish): boolean {
  if (!one.names.some((name) => other.names.includes(name))) return false
  if (one.mode === 'permit' && other.mode === 'permit')
    return (one.weight ?? 1) + (other.weight ?? 1) > (one.permits ?? 1)
  return one.mode !== 'shared' || other.mode !== 'shared'
}
