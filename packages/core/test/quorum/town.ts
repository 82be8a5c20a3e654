import { LockManager, type Lock } from '@locks/core'
import { encodeName, type Backend } from '@locks/core/backend'
import { quorum } from '@locks/core/quorum'
import { simulated } from '../simulation/adapter.ts'
import { Chance } from '../simulation/chance.ts'
import { Line } from '../simulation/line.ts'
import { Machine } from '../simulation/machine.ts'
import { Server } from '../simulation/server.ts'
import { World } from '../simulation/world.ts'
import type { Schedule, Step } from './schedule.ts'

export const ttl = 1_000
const name = 'a'

/** A program on a machine of its own, with a line to each node. */
interface Program {
  readonly machine: Machine
  readonly lines: readonly Line[]
  readonly locks: LockManager
  /** What it was given and has not given back. */
  readonly held: Lock[]
  waiting: number
}

/** Some programs and the nodes of one quorum, in a world in which nothing is real but core. */
export class Town {
  readonly world: World
  readonly #schedule: Schedule
  readonly #wrap: (node: Backend) => Backend
  readonly #servers: Server[] = []
  readonly #programs: Program[] = []
  /** The highest token that was given, and to whom: the next has to be higher. */
  #token = 0n
  #grants = 0

  constructor(schedule: Schedule, wrap: (node: Backend) => Backend = (node) => node, story?: string[]) {
    this.#schedule = schedule
    this.#wrap = wrap
    this.world = new World(story)
    const { nodes, programs, rates } = schedule
    const clock = (at: number) => ({ mono: rates[at] ?? 1, wall: rates[at + 1] ?? 1 })
    const books = { applied() {}, refused() {} }
    for (let at = 0; at < nodes; at++) {
      this.#servers.push(new Server(new Machine(this.world, `node ${at}`, clock(at), 50_000 * at), books))
    }
    for (let at = 0; at < programs; at++) this.#programs.push(this.#program(at, clock(nodes + at)))
    this.world.check = () => this.#check()
    this.world.moment = () => this.#nextExpiry()
  }

  /** The number of grants. */
  async run(): Promise<number> {
    for (const step of this.#schedule.steps) {
      this.world.tell(() => `--- ${JSON.stringify(step)}`)
      this.#take(step)
      await this.world.pass(step.do === 'pass' ? step.ms : 0)
    }
    await this.#recover()
    return this.#grants
  }

  #program(at: number, rates: { mono: number; wall: number }): Program {
    const { seed, ordered, leases, sameOrder } = this.#schedule
    const label = `program ${at}`
    const machine = new Machine(this.world, label, rates, 1_000_000 * (at + 1))
    const chance = new Chance(seed, label)
    const lines = this.#servers.map((server, node) => {
      const lineChance = new Chance(seed, `line ${node} of ${label}`)
      const { world } = this
      return new Line({
        world,
        client: machine,
        store: server.machine,
        chance: lineChance,
        ordered,
        ghosts: false,
        pace: 5,
      })
    })
    const backends = this.#servers.map((server, node) => {
      const backend = simulated(server, lines[node] as Line, { leases, ordered, sets: 'ordered' }, () => {})
      return this.#wrap(raising(backend, server, lines[node] as Line))
    })
    const turned = sameOrder ? 0 : at % backends.length
    const locks = new LockManager(quorum([...backends.slice(turned), ...backends.slice(0, turned)]), {
      ttl,
      connectTimeout: 1_000,
      clock: machine,
      random: chance,
      owner: label,
    })
    return { machine, lines, locks, held: [], waiting: 0 }
  }

  #take(step: Step): void {
    if (step.do === 'pass') return
    if (step.do === 'stop node') {
      this.#servers[step.node % this.#servers.length]?.machine.stop(step.ms, false)
      return
    }
    const program = this.#programs[step.program % this.#programs.length] as Program
    const line = program.lines[('node' in step ? step.node : 0) % program.lines.length] as Line
    switch (step.do) {
      case 'acquire':
        return this.#follow(program, program.locks.acquire(name))
      case 'acquire within':
        return this.#follow(program, program.locks.acquire(name, { timeout: step.ms }))
      case 'try':
        return this.#follow(program, program.locks.tryAcquire(name))
      case 'release':
        return void program.held.shift()?.release()
      case 'stop':
        return program.machine.stop(step.ms, true)
      case 'cut':
        return line.cut()
      case 'reset':
        return line.reset()
      case 'heal':
        return line.heal()
      case 'weather':
        return line.turn(step.way, step.how, step.ms)
    }
  }

  #follow(program: Program, answer: Promise<Lock | null>): void {
    program.waiting++
    answer.then(
      (lock) => {
        program.waiting--
        if (!lock) return
        program.held.push(lock)
        this.#grants++
        this.world.tell(() => `${program.machine.name} is given token ${lock.token}`)
        // Who was told late may be told of a lock that somebody else has had since.
        if (!believes(program, lock)) return
        if (lock.token <= this.#token) this.world.violated('tokens', `${lock.token} was given after ${this.#token}`)
        this.#token = lock.token
      },
      () => program.waiting--,
    )
  }

  /** After everything that happens, and at each expiry of a node. */
  #check(): void {
    const holders = this.#programs.filter((program) => program.held.some((lock) => believes(program, lock)))
    if (holders.length > 1) {
      this.world.violated('exclusion', `${holders.map(({ machine }) => machine.name).join(' and ')} hold at once`)
    }
    for (const { machine } of holders) {
      const keeping = this.#servers.filter((server) => keeps(server, machine.name)).length
      if (keeping <= this.#servers.length / 2) {
        this.world.violated('majority', `${machine.name} believes in what ${keeping} nodes keep`)
      }
    }
  }

  #nextExpiry(): number {
    let first = Number.POSITIVE_INFINITY
    for (const server of this.#servers) {
      for (const { tokens, sent, owner } of server.claims()) {
        const at = tokens ? server.machine.trueTimeOf(sent, owner.ttl) : 0
        if (at > this.world.now) first = Math.min(first, at)
      }
    }
    return first
  }

  /** When all is well again everybody is served, and then nothing is left. */
  async #recover(): Promise<void> {
    const { world } = this
    for (const { lines } of this.#programs) for (const line of lines) line.heal()
    const free = () => {
      for (const program of this.#programs) for (const lock of program.held.splice(0)) void lock.release()
      return this.#programs.every(({ waiting }) => waiting === 0)
    }
    if (!(await world.until(world.now + 120_000, free))) world.violated('liveness', 'somebody waits for ever')
    free()
    const empty = () => this.#servers.every(({ live }) => live.length === 0)
    if (!(await world.until(world.now + 20_000, empty))) world.violated('residue', 'something is left at a node')
    let closed = false
    void Promise.all(this.#programs.map(({ locks }) => locks.close())).then(() => (closed = true))
    if (!(await world.until(world.now + 5_000, () => closed))) world.violated('close', 'closing does not settle')
    // Opening a session that is not wanted any more ends within its own time-out.
    await world.pass(6_000)
    for (const { machine } of this.#programs) {
      if (machine.timers > 0) world.violated('close', `${machine.name} has ${machine.timers} timers left`)
    }
    world.end()
  }
}

function believes({ machine }: Program, lock: Lock): boolean {
  return lock.expiresAt > machine.now().mono
}

function keeps(server: Server, owner: string): boolean {
  return server.live.some(({ tokens, owner: { label }, request }) => {
    return tokens !== undefined && label === owner && request.names.includes(encodeName(name))
  })
}

/** The simulated adapter with the verb that a quorum needs. */
function raising(backend: Backend, server: Server, line: Line): Backend {
  return {
    ...backend,
    capabilities: { ...backend.capabilities, raises: true },
    async open(options) {
      const session = await backend.open(options)
      const raise = (_: string, token: bigint) => line.call('raise', () => server.queues.raise(token))
      return Object.assign(session, { raise })
    },
  }
}
