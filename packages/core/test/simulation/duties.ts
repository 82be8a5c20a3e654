import { clockError } from './schedule.ts'
import type { Machine } from './machine.ts'
import type { World } from './world.ts'

/** For scheduling and for the two ends of a millisecond. */
const slack = 20

interface Duty {
  readonly what: string
  readonly machine: Machine
  /** For how long the machine may have been awake by then. */
  readonly by: number
  readonly done: () => boolean
}

/** What has been promised to happen within a time, counted while its machine can run. */
export class Duties {
  readonly #world: World
  #open: Duty[] = []

  constructor(world: World) {
    this.#world = world
  }

  add(machine: Machine, what: string, ms: number, until: Promise<unknown> | (() => boolean)): void {
    let done: () => boolean
    if (typeof until === 'function') done = until
    else {
      let settled = false
      const settle = () => void (settled = true)
      until.then(settle, settle)
      done = () => settled
    }
    this.#open.push({ what, machine, by: machine.awake + ms / (1 - clockError) + slack, done })
  }

  check(): void {
    if (this.#open.length === 0) return
    this.#open = this.#open.filter(({ machine, by, what, done }) => {
      if (!machine.alive || done()) return false
      if (machine.awake > by) this.#world.violated('prompt', `${machine.name}: ${what}`)
      return true
    })
  }
}
