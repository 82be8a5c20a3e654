import { LockError } from '@locks/core/backend'
import type { Chance } from './chance.ts'
import type { Machine } from './machine.ts'
import type { World } from './world.ts'

/** What travels: a client's calls, the store's answers to them, and what the store tells by itself. */
export type Way = 'calls' | 'answers' | 'events'
export const ways: readonly Way[] = ['calls', 'answers', 'events']

/** `silent`: nothing arrives before the line is healed, but nothing is lost. */
export type Weather = 'silent' | 'lost' | 'flaky' | 'slow' | 'twice'

/**
 * What becomes of the next thing that travels. A call that is `stray` is given up by its connection, as unknown, and
 * executed late all the same.
 */
export type Doom = 'lost' | 'late' | 'twice' | 'stray'

export interface Fate {
  readonly how: Doom
  readonly ms: number
}

class Direction {
  weather: { readonly how: Weather; readonly ms: number } | undefined
  readonly fates: Fate[] = []
  readonly held: (() => void)[] = []
  /** When the last thing arrives, true time: nothing overtakes it on a connection that keeps the order. */
  last = 0
}

export interface LineOptions {
  readonly world: World
  readonly client: Machine
  readonly store: Machine
  readonly chance: Chance
  /** Whether calls take effect in the order in which they are made, and answers come in theirs. */
  readonly ordered: boolean
  /** Whether a second copy of a call may arrive when the first has long been answered. */
  readonly ghosts: boolean
  /** How long anything takes at most as long as all is well, ms. */
  readonly pace: number
}

interface Outstanding {
  reject(why: LockError): void
}

/** The network between one client and the store: everything on it is a message that has a fate. */
export class Line {
  /** False since something has gone wrong with it. */
  calm = true
  readonly #options: LineOptions
  readonly #directions: Record<Way, Direction> = {
    calls: new Direction(),
    answers: new Direction(),
    events: new Direction(),
  }
  readonly #outstanding = new Set<Outstanding>()
  #cut = false
  #denied: string | undefined

  constructor(options: LineOptions) {
    this.#options = options
  }

  /** A call that is executed at the store, once or twice, and the answer of the first time. */
  call<T>(what: string, execute: () => T): Promise<T> {
    const { client, store, world } = this.#options
    if (this.#cut || (this.#denied !== undefined && what.startsWith(this.#denied))) {
      return Promise.reject(new LockError('UNAVAILABLE', 'the line is cut'))
    }
    const stray = this.#directions.calls.fates[0]?.how === 'stray'
    return new Promise((resolve, reject) => {
      const outstanding: Outstanding = { reject }
      this.#outstanding.add(outstanding)
      const answered = (settle: () => void) => () => {
        this.#outstanding.delete(outstanding)
        settle()
      }
      if (stray) this.#giveUp(outstanding)
      let answer: (() => void) | undefined
      let copies = this.#send('calls', store, what, () => {
        copies--
        let settle: () => void
        try {
          const value = execute()
          settle = answered(() => resolve(value))
        } catch (error) {
          settle = answered(() => reject(error as Error))
        }
        world.tell(() => `${client.name}: the store executes ${what}`)
        const again = answer !== undefined
        answer ??= settle
        // A driver that has sent a call again has done so because there was no answer.
        if (this.#options.ghosts ? !again : copies === 0) this.#send('answers', client, `answer to ${what}`, answer)
      })
    })
  }

  /** Whether an answer about many things says something about this one. */
  says(): boolean {
    const { weather } = this.#directions.answers
    return weather?.how !== 'flaky' || this.#options.chance.unit() < 0.7
  }

  /** An event: on its way at once, and not held up by answers. */
  tell(what: string, hear: () => void): void {
    this.#send('events', this.#options.client, what, hear)
  }

  cut(): void {
    this.calm = false
    this.#cut = true
  }

  /** The connection is lost: whoever waits for an answer is told so. What was sent may still arrive. */
  reset(): void {
    this.calm = false
    for (const outstanding of this.#outstanding) this.#giveUp(outstanding)
  }

  /** The store refuses one kind of call. */
  deny(what: string): void {
    this.calm = false
    this.#denied = what
  }

  turn(way: Way, how: Weather, ms: number): void {
    this.calm = false
    this.#directions[way].weather = { how, ms }
  }

  doom(way: Way, fate: Fate): void {
    this.calm = false
    this.#directions[way].fates.push(fate)
  }

  heal(): void {
    this.#cut = false
    this.#denied = undefined
    for (const way of ways) {
      const direction = this.#directions[way]
      direction.weather = undefined
      direction.fates.length = 0
      for (const deliver of direction.held.splice(0)) deliver()
    }
  }

  #giveUp(outstanding: Outstanding): void {
    const { client } = this.#options
    this.#outstanding.delete(outstanding)
    const why = new LockError('OUTCOME_UNKNOWN', 'the connection was lost')
    client.receive(client.trueTime, () => outstanding.reject(why))
  }

  /** How many copies are on their way. */
  #send(way: Way, to: Machine, what: string, arrive: () => void): number {
    const { world, client, chance, ghosts } = this.#options
    const direction = this.#directions[way]
    const { weather } = direction
    const fate = direction.fates.shift()
    const flaky = weather?.how === 'flaky' && chance.unit() < 0.3
    if (fate?.how === 'lost' || weather?.how === 'lost' || flaky) {
      world.tell(() => `${client.name}: ${what} is lost`)
      return 0
    }
    const late =
      fate?.how === 'late' || fate?.how === 'stray'
        ? fate.ms
        : weather?.how === 'slow'
          ? chance.between(0, weather.ms)
          : 0
    const twice = fate?.how === 'twice' || (weather?.how === 'twice' && chance.unit() < 0.5)
    const deliver = () => {
      const at = this.#deliver(way, to, what, late, arrive)
      if (twice) this.#deliver(way, to, `${what}, again`, ghosts ? at - world.now + (fate?.ms ?? 0) : 0, arrive)
    }
    if (weather?.how === 'silent') direction.held.push(deliver)
    else deliver()
    return twice ? 2 : 1
  }

  #deliver(way: Way, to: Machine, what: string, late: number, arrive: () => void): number {
    const { world, client, chance, ordered, pace } = this.#options
    const direction = this.#directions[way]
    const left = way === 'calls' ? client.trueTime : world.now
    const soonest = left + late + chance.between(0.1, pace)
    const at = ordered && way !== 'events' ? Math.max(soonest, direction.last) : soonest
    direction.last = at
    to.receive(at, () => {
      if (way !== 'calls') world.tell(() => `${client.name}: hears ${what}`)
      arrive()
    })
    return at
  }
}
