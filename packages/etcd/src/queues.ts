import type { Clock, Loss, Timer } from '@locks/core/backend'
import type { ITxnRequest, ITxnResponse } from 'etcd3'
import type { Wanted } from './entries.ts'
import type { Keys } from './keys.ts'
import type { Line } from './ledger.ts'
import { Queue } from './queue.ts'
import { parts, type Confirmed, type View } from './verbs.ts'
import type { Watches } from './watches.ts'

export interface QueuesOptions {
  readonly clock: Clock
  readonly keys: Keys
  readonly watches: Watches
  readonly view: (name: string) => Promise<View>
  readonly run: (request: ITxnRequest) => Promise<ITxnResponse>
  /** Makes a waiter a holder whose turn it is. */
  readonly confirm: (line: Line, request: Wanted) => Promise<Confirmed>
  readonly granted: (line: Line, created: bigint) => void
  readonly lost: (line: Line, how: Loss) => void
}

interface Waiting {
  readonly line: Line
  readonly request: Wanted
  confirming: boolean
}

/** A queue in which somebody of this process waits. */
interface Waited {
  readonly name: string
  readonly queue: Queue
  readonly waiting: Map<string, Waiting>
  unwatch: () => void
  retry: Timer | undefined
  failures: number
}

/** So many names are looked at in one transaction. */
const namesAtOnce = 50

/** The queues in which this process waits: one watch each, however many wait there. */
export class Queues {
  readonly #options: QueuesOptions
  readonly #all = new Map<string, Waited>()
  /** How many messages had come when a queue was last found to be behind the store. */
  #behindAt: number | undefined
  #closed = false

  constructor(options: QueuesOptions) {
    this.#options = options
  }

  has(name: string): boolean {
    return this.#all.has(name)
  }

  /** Lets an entry wait that is in the queue by now. */
  async join(line: Line, request: Wanted, seen: View | undefined): Promise<void> {
    const { name, who } = line
    // It may be the last that left this queue while this one was on its way into it.
    const view = seen ?? (this.has(name) ? undefined : await this.#options.view(name))
    if (line.state !== 'queued' || this.#closed) return
    const waited = this.#all.get(name) ?? (view && this.#open(name, view))
    if (!waited) return this.join(line, request, undefined)
    if (!waited.waiting.has(who)) waited.waiting.set(who, { line, request, confirming: false })
    if (view) waited.queue.read(view)
    this.#decide(waited)
  }

  leave({ name, who }: Line): void {
    const waited = this.#all.get(name)
    if (!waited?.waiting.delete(who) || waited.waiting.size > 0) return
    this.#all.delete(name)
    waited.unwatch()
    waited.retry?.cancel()
  }

  /** Compares all queues with the store, at the cost of a few round trips: a watch may have failed and not say so. */
  async check(): Promise<void> {
    const all = [...this.#all.values()]
    await Promise.all(parts(all, namesAtOnce).map((some) => this.#check(some)))
  }

  close(): void {
    this.#closed = true
    for (const { unwatch, retry } of this.#all.values()) {
      unwatch()
      retry?.cancel()
    }
    this.#all.clear()
  }

  #open(name: string, view: View): Waited {
    const queue = new Queue(this.#options.keys, view)
    const waited: Waited = { name, queue, waiting: new Map(), unwatch: () => {}, retry: undefined, failures: 0 }
    this.#all.set(name, waited)
    this.#watch(waited)
    return waited
  }

  #watch(waited: Waited): void {
    const { keys, watches } = this.#options
    waited.unwatch = watches.watch(keys.name(waited.name), waited.queue.revision + 1n, {
      heard: (events) => {
        waited.queue.heard(events)
        this.#decide(waited)
      },
      lost: () => this.#reread(waited, true),
    })
  }

  /** Also whoever is not confirmed by an error of the line is tried again. */
  #reread(waited: Waited, watch: boolean): void {
    if (!this.#isOpen(waited)) return
    this.#options.view(waited.name).then(
      (view) => {
        if (!this.#isOpen(waited)) return
        waited.queue.read(view)
        if (watch) this.#watch(waited)
        this.#decide(waited)
      },
      () => this.#later(waited, watch),
    )
  }

  #later(waited: Waited, watch: boolean): void {
    if (!this.#isOpen(waited) || (waited.retry && !watch)) return
    waited.retry?.cancel()
    const delay = Math.min(1_000, 50 * 2 ** waited.failures++)
    waited.retry = this.#options.clock.after(delay, () => {
      waited.retry = undefined
      this.#reread(waited, watch)
    })
  }

  #isOpen(waited: Waited): boolean {
    return !this.#closed && this.#all.get(waited.name) === waited
  }

  /** Confirms those of this process who may hold by what is known now. */
  #decide(waited: Waited): void {
    const { queue, waiting } = waited
    for (const { place, created } of queue.granted()) {
      const own = place.rank === '2' ? waiting.get(place.who) : undefined
      // What is behind the store may have another in this place, who was there before.
      if (own && own.line.created === created && !own.confirming) this.#confirm(waited, own)
    }
  }

  #confirm(waited: Waited, own: Waiting): void {
    const { line, request } = own
    const { revision } = waited.queue
    own.confirming = true
    this.#options.confirm(line, request).then(
      (confirmed) => {
        own.confirming = false
        waited.failures = 0
        if (confirmed.outcome === 'waits') {
          // There is a holder whom the watch will tell of, if it has not done so since.
          if (waited.queue.revision > revision && this.#isOpen(waited)) this.#decide(waited)
          return
        }
        // Whoever is not wanted any more is on its way out of the store.
        const wanted = waited.waiting.get(line.who) === own
        this.leave(line)
        if (!wanted) return
        if (confirmed.outcome === 'granted') this.#options.granted(line, confirmed.created)
        else this.#options.lost(line, 'gone')
      },
      () => {
        own.confirming = false
        this.#later(waited, false)
      },
    )
  }

  async #check(some: readonly Waited[]): Promise<void> {
    const { keys, run, watches } = this.#options
    const newest = { limit: 1, sort_target: 'Mod', sort_order: 'Descend' } as const
    const success = some.map(({ name }) => ({ request_range: { ...keys.name(name), ...newest } }))
    const { responses } = await run({ success })
    const behind = some.filter(({ queue }, at) => {
      const found = responses[at]?.response_range
      return Number(found?.count) !== queue.size || BigInt(found?.kvs[0]?.mod_revision ?? 0) !== queue.latest
    })
    if (behind.length === 0) return
    // What is on its way is no failure; if nothing at all has come since the last time, nothing may ever come.
    if (this.#behindAt === watches.heard) watches.restart()
    this.#behindAt = watches.heard
    for (const waited of behind) this.#reread(waited, false)
  }
}
