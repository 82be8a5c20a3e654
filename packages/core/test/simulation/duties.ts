import { clockError } from './schedule.ts'
import type { Removing } from './adapter.ts'
import type { Machine } from './machine.ts'
import type { World } from './world.ts'

/** Within which core settles whoever waits for a confirmation, or has changed their mind, ms. */
export const promptly = 1_000

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

  /** A removal that is not confirmed has to be repeated, for as long as a ttl. */
  removals(machine: Machine, leases: 'entry' | 'session'): Removing {
    const asked = new Map<string, { readonly since: number; times: number; confirmed: boolean }>()
    return (id, ttl, answer, over) => {
      const removal = asked.get(id) ?? { since: this.#world.now, times: 0, confirmed: false }
      asked.set(id, removal)
      const attempt = ++removal.times
      answer.then(
        () => (removal.confirmed = true),
        () => {},
      )
      const done = () =>
        removal.confirmed || removal.times > attempt || over() || this.#world.now - removal.since > 0.9 * ttl
      this.add(machine, `the removal of ${id} is repeated`, Math.min(Math.max(ttl / 4, 250), 2_500) + 1_600, done)
      if (attempt > 1 || leases === 'entry') return
      const what = `the session ends that has ${id} for ever`
      this.add(machine, what, ttl + promptly, () => removal.confirmed || over())
    }
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
