import type { Backend } from '@locks/core/backend'
import { Chance } from './chance.ts'
import { Client } from './client.ts'
import { Ledger } from './ledger.ts'
import { Line } from './line.ts'
import { Machine } from './machine.ts'
import { Notices } from './notices.ts'
import { recover, residue } from './recovery.ts'
import { clients, type Schedule } from './schedule.ts'
import { Server } from './server.ts'
import { take, type Stage } from './steps.ts'
import { Watch } from './watch.ts'
import { World } from './world.ts'

export interface Extras {
  /** To be told in words what happens. */
  readonly story?: string[]
  /** Another adapter than the sound one. */
  readonly wrap?: ((backend: Backend) => Backend) | undefined
}

/** One schedule, from its first step to the end of all clients. Throws the first violation. */
export async function simulate(schedule: Schedule, extras: Extras = {}): Promise<void> {
  const simulation = new Simulation(schedule, extras)
  try {
    await simulation.run()
  } finally {
    simulation.end()
  }
}

class Simulation implements Stage {
  readonly world: World
  readonly server: Server
  readonly schedule: Schedule
  /** Every client that there ever was. */
  readonly everybody: Client[] = []
  /** Those that are there now. */
  readonly clients: Client[] = []
  readonly #watch: Watch
  readonly #ledger: Ledger
  readonly #notices: Notices
  readonly #wrap: (backend: Backend) => Backend

  constructor(schedule: Schedule, { story, wrap = (backend) => backend }: Extras) {
    this.schedule = schedule
    this.#wrap = wrap
    this.world = new World(story)
    this.#ledger = new Ledger(this.world)
    this.server = new Server(this.#machine('the store', 0), this.#ledger)
    this.#watch = new Watch(this.world, this.server, this.#ledger)
    this.#notices = new Notices(this.world, () => this.everybody)
    for (let slot = 0; slot < clients; slot++) this.start(slot)
  }

  end(): void {
    this.#notices.close()
  }

  async run(): Promise<void> {
    const { without } = this.schedule.setting
    for (const step of this.schedule.steps) {
      if (without.includes(step.do)) continue
      this.world.tell(() => `--- ${JSON.stringify(step)}`)
      take(step, this)
      await this.world.pass(step.do === 'pass' ? step.ms : 0)
    }
    if (this.schedule.setting.heals !== 'none') await recover(this)
    await residue(this)
  }

  /** A new client, in the place of another that is gone. */
  start(slot: number): void {
    const { seed, leases, ordered, sets, pace, ttl, connectTimeout, handover } = this.schedule.setting
    const name = `client ${slot}${'′'.repeat(this.everybody.length < clients ? 0 : this.everybody.length)}`
    const machine = this.#machine(name, slot + 1)
    const chance = new Chance(seed, name)
    const line = new Line({
      world: this.world,
      client: machine,
      store: this.server.machine,
      chance: new Chance(seed, `the line of ${name}`),
      ordered,
      ghosts: leases === 'entry' && !ordered,
      pace,
    })
    const kind = { leases, ordered, sets }
    const options = {
      machine,
      line,
      server: this.server,
      chance,
      watch: this.#watch,
      wrap: this.#wrap,
      kind,
      ttl,
      connectTimeout,
      handover: handover.includes(slot),
    }
    const client = new Client(this.world, options)
    this.#ledger.register(client)
    this.everybody.push(client)
    this.clients[slot] = client
  }

  #machine(name: string, at: number): Machine {
    const rates = this.schedule.setting.rates[at] ?? { mono: 1, wall: 1 }
    return new Machine(this.world, name, rates, 100_000 * at)
  }
}
