import { setTimeout as sleep } from 'node:timers/promises'
import { Chance } from '../chance.ts'
import { now } from '../now.ts'
import type { Fault, Field } from './fault.ts'

/** A fault that is to come. */
interface Step {
  readonly fault: Fault
  /** ms of peace before it. */
  readonly peace: number
  readonly lasts: number
  readonly chance: Chance
}

/** Draws faults of one sort from a seed, the same for the same seed, and makes them happen one after the other. */
export class Nemesis {
  readonly #faults: readonly Fault[]
  readonly #field: Field
  readonly #chance: Chance
  readonly #sort: number

  constructor(faults: readonly Fault[], field: Field, seed: number, sort: number) {
    this.#faults = faults
    this.#field = field
    this.#sort = sort
    this.#chance = new Chance(seed, sort)
  }

  /** Fault after fault, until it is time; all are healed then. */
  async rage(until: number): Promise<void> {
    if (this.#faults.length === 0) return
    while (now() < until) {
      const step = this.#next()
      await sleep(Math.min(step.peace, Math.max(0, until - now())))
      if (now() < until) await this.#inflict(step, until)
    }
  }

  /** One fault, and its end. */
  async strike(): Promise<void> {
    if (this.#faults.length === 0) return
    const step = this.#next()
    await sleep(step.peace)
    await this.#inflict(step, Number.POSITIVE_INFINITY)
  }

  #next(): Step {
    const { ttl } = this.#field
    const fault = this.#chance.weighted(this.#faults.map((each) => [each.weight ?? 1, each] as const))
    const [from, to] = fault.lasts
    return {
      fault,
      peace: this.#chance.between(0.2, 1.2) * ttl,
      lasts: this.#chance.between(from, to) * ttl,
      chance: new Chance(Math.floor(this.#chance.unit() * 2 ** 31)),
    }
  }

  async #inflict({ fault, lasts, chance }: Step, until: number): Promise<void> {
    const { kind, breaks = false, forgets = false } = fault
    const from = now()
    const { ledger } = this.#field
    const number = ledger.faults.length * 2 + (this.#sort % 2)
    // Known of from the beginning: its effects may come before it is done.
    const record = { action: 'fault', kind, from, breaks, forgets } as const
    const inflicted = await fault.inflict(this.#field, chance)
    if (!inflicted) return
    const { target, heal, refuses = false } = inflicted
    const inForce = now()
    ledger.fault(number, { ...record, target, until: heal ? null : now() })
    if (!heal) return
    await sleep(Math.min(lasts, Math.max(0, until - now())))
    if (refuses) ledger.outages.push({ kind, from: inForce, until: now() })
    await heal()
    ledger.fault(number, { ...record, target, until: now() })
  }
}
