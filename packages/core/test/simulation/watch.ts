import { LockError } from '@locks/core'
import type { Removing } from './adapter.ts'
import type { Belief, Wish } from './belief.ts'
import type { Call, Client } from './client.ts'
import { Duties } from './duties.ts'
import type { Ledger } from './ledger.ts'
import type { Machine } from './machine.ts'
import { clockError } from './schedule.ts'
import type { Server } from './server.ts'
import type { World } from './world.ts'

/** For how long a running program may go without hearing that its lock is lost, ms. */
const toldWithin = 1_000
/** Within which core settles whoever waits for a confirmation, or has changed their mind, ms. */
const promptly = 1_000

/** Holds what the clients are told against the truth of the store. */
export class Watch {
  readonly world: World
  readonly ledger: Ledger
  readonly duties: Duties
  readonly #server: Server
  #beliefs: Belief[] = []
  readonly #tokens = new Set<bigint>()
  readonly #granted: { readonly token: bigint; readonly name: string; readonly wish: Wish; readonly at: number }[] = []

  constructor(world: World, server: Server, ledger: Ledger) {
    this.world = world
    this.ledger = ledger
    this.duties = new Duties(world)
    this.#server = server
    world.check = () => this.#check()
    world.moment = () => this.#nextExpiry()
  }

  get believed(): number {
    return this.#beliefs.filter((belief) => belief.held).length
  }

  called(call: Call): void {
    const { client, waits, timeout } = call
    this.world.tell(() => `${client.machine.name}: wants ${call.wish.names.join(' and ')} as ${call.id}`)
    this.ledger.called('acquire', call)
    const within = waits ? timeout : client.connectTimeout
    if (within === undefined) return
    this.duties.add(client.machine, `a call ends within ${within} ms`, within + promptly, () => !client.calls.has(call))
  }

  granted(call: Call, belief: Belief): void {
    const { machine, lock, tokens } = belief
    this.world.tell(() => `${machine.name}: is given ${call.id} with ${[...tokens.values()].join(', ')}`)
    // A single lock may be robbed in the moment in which it is granted.
    const late = !belief.held && ('tokens' in lock || LockError.find(lock.signal.reason)?.reason === 'expired')
    if (late && !machine.busy) {
      this.world.violated('late', `${machine.name}: was given a lock after its own deadline`)
    }
    for (const [name, token] of tokens) {
      if (this.#tokens.has(token)) this.world.violated('once', `${machine.name}: token ${token} was given before`)
      this.#tokens.add(token)
      const newer = this.#granted.find(
        (other) =>
          other.name === name && other.at < call.since && other.token > token && conflict(other.wish, call.wish),
      )
      if (newer)
        this.world.violated('tokens', `${token} was given to a call that was made after ${newer.token} was given`)
      this.#granted.push({ token, name, wish: call.wish, at: this.world.now })
    }
    this.#beliefs.push(belief)
  }

  refused(call: Call): void {
    if (!this.ledger.wasRefused(call)) this.world.violated('refused', 'a try was refused, but not by the store')
  }

  failed(call: Call, why: unknown): void {
    const { client, abort, timeout, waits } = call
    this.world.tell(() => `${client.machine.name}: does not get ${call.id}: ${String(why)}`)
    if (abort?.signal.aborted && why === abort.signal.reason) return
    const code = LockError.find(why)?.code
    const expected =
      (code === 'CLOSED' && client.closed) ||
      (code === 'TIMEOUT' && timeout !== undefined) ||
      (code === 'OUTCOME_UNKNOWN' && !waits) ||
      (code === 'UNAVAILABLE' && !waits)
    if (!expected) this.world.violated('error', `${client.machine.name}: ${call.id} failed with ${String(why)}`)
    if (code === 'UNAVAILABLE' && this.ledger.wasApplied(call.id)) {
      this.world.violated('error', `${client.machine.name}: ${call.id} was applied, but is said to be UNAVAILABLE`)
    }
  }

  /** A program asks whether it holds its lock. */
  looked(belief: Belief): void {
    const { lock, machine } = belief
    const expected = belief.held
    const { held } = lock
    if (!machine.busy && held !== expected) this.world.violated('held', `${machine.name}: held is not what it was`)
    if (held && belief.seenLost) this.world.violated('revived', `${machine.name}: holds again what was lost`)
    if (!held && belief.released === false) belief.seenLost = true
  }

  releasing(client: Client, belief: Belief, id: string): void {
    const { machine, tokens, lock } = belief
    const { held } = belief
    const since = machine.trueTime
    const sessions = client.sessionsEnded
    for (const token of tokens.values()) client.released.add(token)
    if (held) this.ledger.called('remove', { id, wish: belief.wish })
    this.world.tell(() => `${machine.name}: releases ${[...tokens.values()].join(', ')}`)
    const exact = !machine.busy
    const outcome = lock.release()
    belief.released = machine.busy ? 'perhaps' : held
    this.duties.add(machine, 'a release settles', promptly, outcome)
    outcome.then(
      (said) => {
        const taken = [...tokens.values()].some((token) => this.#server.forfeited.has(token))
        if (exact && !machine.busy && held !== (said === 'released') && !(held && taken)) {
          this.world.violated('release', `${machine.name}: says ${said} of a lock that was ${held ? '' : 'not '}held`)
        }
        // Before the time at which a release is called done without an answer.
        const early = machine.trueTime - since < 450 && client.sessionsEnded === sessions && !client.closed
        const confirmed = held && said === 'released' && early
        if (confirmed && this.#keeps(tokens.values())) {
          this.world.violated('release', `${machine.name}: a release is said to be done that is not`)
        }
      },
      () => this.world.violated('release', `${machine.name}: a release rejected`),
    )
  }

  /** A removal that is not confirmed has to be repeated, for as long as a ttl. */
  removing(machine: Machine, leases: 'entry' | 'session'): Removing {
    const asked = new Map<string, { readonly since: number; times: number; confirmed: boolean }>()
    return (id, ttl, answer, over) => {
      const removal = asked.get(id) ?? { since: machine.awake, times: 0, confirmed: false }
      asked.set(id, removal)
      const attempt = ++removal.times
      answer.then(
        () => (removal.confirmed = true),
        () => {},
      )
      const done = () =>
        removal.confirmed || removal.times > attempt || over() || machine.awake - removal.since > 0.9 * ttl
      this.duties.add(
        machine,
        `the removal of ${id} is repeated`,
        Math.min(Math.max(ttl / 4, 250), 2_500) + 1_600,
        done,
      )
      if (attempt > 1 || leases === 'entry') return
      const what = `the session ends that has ${id} for ever`
      this.duties.add(machine, what, ttl + promptly, () => removal.confirmed || over())
    }
  }

  closing(client: Client, closed: Promise<void>): void {
    this.duties.add(client.machine, 'a manager closes', promptly, closed)
    const { calls, machine } = client
    this.duties.add(machine, 'every call ends with its manager', promptly, () => calls.size === 0)
    void closed.then(() => {
      if (machine.timers > 0) this.world.violated('close', `${machine.name}: ${machine.timers} timers after close`)
    })
  }

  #keeps(tokens: Iterable<bigint>): boolean {
    const grants = this.#server.grants()
    return [...tokens].some((token) => grants.has(token))
  }

  #check(): void {
    this.duties.check()
    this.ledger.check(this.#server)
    if (this.#beliefs.length === 0) return
    const grants = this.#server.grants()
    const sure = new Set<Belief>()
    this.#beliefs = this.#beliefs.filter((belief) => {
      if (!belief.machine.alive) return false
      if (!belief.held) return this.#watchesLost(belief)
      if (belief.released === true) this.world.violated('release', `${belief.machine.name}: holds what it has released`)
      if (belief.seenLost) this.world.violated('revived', `${belief.machine.name}: holds again what was lost`)
      if (this.#backed(belief, grants)) sure.add(belief)
      return true
    })
    const held = this.#beliefs.filter((belief) => belief.held)
    for (const [at, one] of held.entries()) {
      for (const other of held.slice(at + 1)) {
        const certain = sure.has(one) && sure.has(other)
        if ((certain || robs(one, other) || robs(other, one)) && conflict(one.wish, other.wish)) {
          this.world.violated('exclusion', `${one.machine.name} and ${other.machine.name} hold one name`)
        }
      }
    }
  }

  /** Whether the store keeps what somebody believes to hold; false where a declared fault has taken it from them. */
  #backed({ tokens, machine, ttl }: Belief, grants: ReturnType<Server['grants']>): boolean {
    let certain = true
    for (const [name, token] of tokens) {
      const forfeited = this.#server.forfeited.get(token)
      if (forfeited !== undefined) {
        certain = false
        if (this.world.now > forfeited + ttl / (1 - clockError)) {
          this.world.violated('told', `${machine.name}: still believes in ${token}, which was taken from it long ago`)
        }
      } else if (!grants.has(token)) {
        this.world.violated('held', `${machine.name}: believes in ${token} of ${name}, which the store does not keep`)
      }
    }
    return certain
  }

  /** Whether what is not held any more is to be looked at again: it may revive, and its holder has to be told. */
  #watchesLost(belief: Belief): boolean {
    const { machine, released, listens, aborts, lock, ttl } = belief
    belief.lostAt ??= machine.awake
    if (aborts > (released === true ? 0 : 1)) {
      this.world.violated(
        'signal',
        `${machine.name}: a signal aborted ${aborts} times${released ? ' after a release' : ''}`,
      )
    }
    if (aborts > 0 && !LockError.is(lock.signal.reason, 'LOST')) {
      this.world.violated('signal', `${machine.name}: a signal aborted without LOST`)
    }
    const told = !listens || released !== false || aborts > 0
    if (!told && machine.awake > belief.lostAt + toldWithin) {
      this.world.violated('signal', `${machine.name}: was not told in time that a lock is lost`)
    }
    return machine.awake < belief.lostAt + 2 * ttl
  }

  #nextExpiry(): number {
    let first = Number.POSITIVE_INFINITY
    for (const { tokens, sent, owner } of this.#server.claims()) {
      if (!tokens) continue
      const at = this.#server.machine.trueTimeOf(sent, owner.ttl)
      if (at > this.world.now) first = Math.min(first, at)
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
function conflict(one: Wish, other: Wish): boolean {
  if (!one.names.some((name) => other.names.includes(name))) return false
  if (one.mode === 'permit' && other.mode === 'permit')
    return (one.weight ?? 1) + (other.weight ?? 1) > (one.permits ?? 1)
  return one.mode !== 'shared' || other.mode !== 'shared'
}
