import { LockError } from '@locks/core'
import type { Belief } from './belief.ts'
import { promptly } from './duties.ts'
import type { Machine } from './machine.ts'
import type { Watch } from './watch.ts'

/** A callback of `request`, which ends when it is told to, and what becomes of the request. */
export class Callback {
  /** What it runs under, once it runs. */
  belief: Belief | undefined
  readonly #machine: Machine
  readonly #watch: Watch
  readonly #result = {}
  readonly #error = new Error('mine')
  readonly #outcome = Promise.withResolvers<object>()
  /** How it has ended while it held its lock. */
  #ended: 'value' | 'error' | undefined
  #settled: Promise<unknown> | undefined

  constructor(machine: Machine, watch: Watch) {
    this.#machine = machine
    this.#watch = watch
    this.#outcome.promise.catch(() => {})
  }

  /** The request has been made. */
  called(settled: Promise<unknown>, failed: (why: unknown) => void): void {
    this.#settled = settled
    settled.then(
      (value) => {
        if (this.#ended !== 'value' || value !== this.#result) this.#violated('resolved to another result')
      },
      (why: unknown) => {
        if (!this.belief) return failed(why)
        // Time may have gone by between the end of the callback and the release.
        if (this.#machine.busy) return void (this.belief.released = 'perhaps')
        this.belief.seenLost = this.#ended === undefined
        if (this.#ended === undefined) this.#checkLoss(why, this.belief)
        else if (this.#ended === 'value' || why !== this.#error) this.#violated('its outcome was replaced by a release')
      },
    )
  }

  enter(belief: Belief): Promise<object> {
    if (!this.#settled) this.#violated('its callback was called synchronously')
    this.belief = belief
    belief.told = () => belief.seenLost
    return this.#outcome.promise
  }

  finish(how: 'value' | 'error'): void {
    const { belief } = this
    if (belief?.held) {
      this.#ended = how
      belief.released = true
      const what = 'a request settles when its callback has'
      this.#watch.duties.add(this.#machine, what, promptly, this.#settled ?? Promise.resolve())
    }
    if (how === 'value') this.#outcome.resolve(this.#result)
    else this.#outcome.reject(this.#error)
  }

  #checkLoss(why: unknown, belief: Belief): void {
    const found = LockError.find(why)
    if (found?.code === 'LOST' && found.callback instanceof Promise && !belief.held) return
    this.#violated(`rejected under its lock with ${String(why)}`)
  }

  #violated(what: string): void {
    this.#watch.world.violated('request', what)
  }
}
