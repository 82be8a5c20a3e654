import { LockError } from '@locks/core'
import type { Belief, Wish } from './belief.ts'
import type { Call, Client } from './client.ts'
import { Duties, promptly } from './duties.ts'
import type { Ledger } from './ledger.ts'
import type { Server } from './server.ts'
import { conflict, Truth } from './truth.ts'
import type { World } from './world.ts'

/** Hears what the clients ask for and what they are told, and holds it against what is so. */
export class Watch {
  readonly world: World
  readonly ledger: Ledger
  readonly duties: Duties
  readonly #truth: Truth
  readonly #tokens = new Set<bigint>()
  readonly #granted: { readonly token: bigint; readonly name: string; readonly wish: Wish; readonly at: number }[] = []

  constructor(world: World, server: Server, ledger: Ledger) {
    this.world = world
    this.ledger = ledger
    this.duties = new Duties(world)
    this.#truth = new Truth(world, server)
    world.check = () => {
      this.duties.check()
      this.ledger.check(server)
      this.#truth.check()
    }
    world.moment = () => this.#truth.nextExpiry()
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
    // It may have been stolen before the news of its grant came.
    const late = !belief.held && LockError.find(lock.signal.reason)?.reason !== 'stolen'
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
      // What was taken from its holder may be handed on until its manager hears of it.
      if (newer && !this.#truth.forfeited([token]))
        this.world.violated('tokens', `${token} was given to a call that was made after ${newer.token} was given`)
      this.#granted.push({ token, name, wish: call.wish, at: this.world.now })
    }
    this.#truth.add(belief)
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
      (code === 'INVALID_ARGUMENT' && call.wish.mode === 'permit') ||
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
    // Its session may end while it is told of the losses by that.
    const sessions = client.reacting ? undefined : client.sessionsEnded
    for (const token of tokens.values()) client.released.add(token)
    if (held) this.ledger.called('remove', { id, wish: belief.wish, behind: false })
    this.world.tell(() => `${machine.name}: releases ${[...tokens.values()].join(', ')}`)
    const exact = !machine.busy
    const heir = client.hands.hasHeir(belief.wish)
    const outcome = lock.release()
    belief.released = machine.busy ? 'perhaps' : held
    this.duties.add(machine, 'a release settles', promptly, outcome)
    outcome.then(
      (said) => {
        const taken = this.#truth.forfeited(tokens.values())
        if (exact && !machine.busy && held !== (said === 'released') && !(held && taken)) {
          this.world.violated('release', `${machine.name}: says ${said} of a lock that was ${held ? '' : 'not '}held`)
        }
        // Before the time at which a release is called done without an answer.
        const early = machine.trueTime - since < 450 && client.sessionsEnded === sessions && !client.closed
        const confirmed = held && said === 'released' && early && !heir
        if (confirmed && this.#truth.keeps(tokens.values())) {
          this.world.violated('release', `${machine.name}: a release is said to be done that is not`)
        }
      },
      () => this.world.violated('release', `${machine.name}: a release rejected`),
    )
  }

  closing(client: Client, closed: Promise<void>): void {
    this.duties.add(client.machine, 'a manager closes', promptly, closed)
    const { calls, machine } = client
    this.duties.add(machine, 'every call ends with its manager', promptly, () => calls.size === 0)
    void closed.then(() => {
      if (machine.timers > 0) this.world.violated('close', `${machine.name}: ${machine.timers} timers after close`)
    })
  }
}
