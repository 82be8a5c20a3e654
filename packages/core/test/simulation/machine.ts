import type { Clock, Instant, Timer } from '@locks/core/backend'
import type { World } from './world.ts'

export interface Rates {
  readonly mono: number
  readonly wall: number
}

interface Due {
  /** A timer's by the machine's monotonic clock, a message's in true time. */
  readonly at: number
  readonly run: () => void
}

/** A clock that shows `shown` at the true time `since`, and runs at a rate of its own from then on. */
interface Hand {
  shown: number
  since: number
  readonly rate: number
}

const read = (hand: Hand, at: number): number => hand.shown + Math.max(0, at - hand.since) * hand.rate

/**
 * One computer with one process: two clocks that are not true, timers by one of them, and an inbox. One thing runs at a
 * time, with all that promises set off, and nothing while the process is stopped.
 */
export class Machine implements Clock {
  readonly name: string
  readonly #world: World
  readonly #mono: Hand
  readonly #wall: Hand
  readonly #timers: Due[] = []
  readonly #inbox: Due[] = []
  /** Until when nothing runs, true time. */
  #stoppedUntil = 0
  #stopped = 0
  /** To where what ran last has outrun the world: it has kept the process busy until then, true time. */
  #ahead = 0
  /** After how many readings of the clock the process is stopped, and for how long. */
  #ambush: { readings: number; readonly ms: number } | undefined
  #messagesFirst = false
  #running = false
  #crashed = false
  #slept = false
  #setBack = false
  /** The true time of the last moment at which something was wrong with its time. */
  disturbedAt = 0

  constructor(world: World, name: string, rates: Rates, offset: number) {
    this.#world = world
    this.name = name
    this.#mono = { shown: 1_000 + offset, since: world.now, rate: rates.mono }
    this.#wall = { shown: 1_700_000_000_000 - 7 * offset, since: world.now, rate: rates.wall }
    world.machines.push(this)
  }

  get alive(): boolean {
    return !this.#crashed
  }

  get stoppedUntil(): number {
    return this.#stoppedUntil
  }

  get timers(): number {
    return this.#timers.length
  }

  /** The true time at which what runs now, or has run last, has arrived. */
  get trueTime(): number {
    return Math.max(this.#world.now, this.#ahead)
  }

  /** Whether what runs now has taken time. */
  get busy(): boolean {
    return this.#ahead > this.#world.now
  }

  /** For how long the process has been able to run, in true time. */
  get awake(): number {
    return this.#world.now - this.#stopped + Math.max(0, this.#stoppedUntil - this.#world.now)
  }

  now(): Instant {
    const instant = this.#read()
    if (this.#running && this.#ambush && --this.#ambush.readings < 0) {
      this.keepBusy(this.#ambush.ms)
      this.#ambush = undefined
    }
    return instant
  }

  after(ms: number, run: () => void): Timer {
    const due = { at: read(this.#mono, this.trueTime) + Math.max(1, ms), run }
    this.#timers.push(due)
    return { cancel: () => drop(this.#timers, due) }
  }

  /** Something arrives from outside. */
  receive(at: number, run: () => void): void {
    this.#inbox.push({ at, run })
  }

  /** The true time at which a reading of this clock, as far as one knows now, is so much older. */
  trueTimeOf({ mono, wall }: Instant, ms: number): number {
    const when = (hand: Hand, then: number) => hand.since + (then + ms - hand.shown) / hand.rate
    return Math.min(when(this.#mono, mono), when(this.#wall, wall))
  }

  // What may happen to it

  stop(ms: number, messagesFirst: boolean): void {
    this.#messagesFirst = messagesFirst
    this.#stopUntil(this.#world.now + ms)
  }

  /** The monotonic clock stands still. (Not where the wall clock was set back: no clock is left then that saw the time.) */
  sleep(ms: number): void {
    if (this.#setBack) return this.stop(ms, false)
    this.#slept = true
    const from = this.trueTime
    this.#mono.shown = read(this.#mono, from)
    this.#mono.since = Math.max(from, this.#mono.since) + ms
    this.#stopUntil(this.#mono.since)
  }

  setWallClock(ms: number): void {
    if (ms < 0 && this.#slept) return
    if (ms < 0) this.#setBack = true
    this.#wall.shown += ms
    this.disturbedAt = Math.max(this.disturbedAt, this.#world.now)
  }

  /** Time goes by within what runs now. */
  keepBusy(ms: number): void {
    this.#ahead = this.trueTime + ms
  }

  ambush(readings: number, ms: number): void {
    this.#ambush = { readings, ms }
  }

  crash(): void {
    this.#crashed = true
  }

  // For the world

  /** The true time of what runs next. */
  next(): number {
    if (this.#crashed) return Number.POSITIVE_INFINITY
    const timer = earliest(this.#timers)
    const message = earliest(this.#inbox)
    const at = Math.min(
      timer ? this.#timerAt(timer) : Number.POSITIVE_INFINITY,
      message?.at ?? Number.POSITIVE_INFINITY,
    )
    return Math.max(this.#stoppedUntil, at)
  }

  /** Runs what is due next. */
  async run(settled: () => Promise<void>): Promise<void> {
    const timer = earliest(this.#timers)
    const message = earliest(this.#inbox)
    const timerAt = timer ? this.#timerAt(timer) : Number.POSITIVE_INFINITY
    const both = timerAt <= this.#world.now && message !== undefined && message.at <= this.#world.now
    const first = message && (both ? this.#messagesFirst : message.at < timerAt) ? message : timer
    if (!first) return
    drop(first === message ? this.#inbox : this.#timers, first)
    this.#running = true
    first.run()
    await settled()
    this.#running = false
    if (this.busy) this.#stopUntil(this.#ahead)
  }

  #timerAt({ at }: Due): number {
    return this.#mono.since + (at - this.#mono.shown) / this.#mono.rate
  }

  #stopUntil(at: number): void {
    const from = Math.max(this.#world.now, this.#stoppedUntil)
    if (at <= from) return
    this.#stopped += at - from
    this.#stoppedUntil = at
    this.disturbedAt = at
  }

  #read(): Instant {
    return { mono: read(this.#mono, this.trueTime), wall: read(this.#wall, this.trueTime) }
  }
}

function earliest(list: readonly Due[]): Due | undefined {
  let first = list[0]
  for (const due of list) if (first && due.at < first.at) first = due
  return first
}

function drop(list: Due[], due: Due): void {
  const at = list.indexOf(due)
  if (at >= 0) list.splice(at, 1)
}
