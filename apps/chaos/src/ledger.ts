import { now } from './now.ts'
import type { Access, Acquire, FaultRecord, HistoryRecord, Hold } from './records.ts'
import type { Outage } from './outages.ts'
import type { TimedSeries } from './work/port.ts'

/** The history while it is made. A record that comes again replaces what was known before. */
export class Ledger {
  readonly series: TimedSeries[] = []
  /** What must not have happened to a client's process. */
  readonly broken: { readonly client: string; readonly why: string; readonly at: number }[] = []
  /** When nothing could be granted to anybody. */
  readonly outages: Outage[] = []
  readonly #records: HistoryRecord[] = []
  readonly #calls = new Map<number, Acquire>()
  readonly #holds = new Map<number, Hold>()
  readonly #faults = new Map<number, FaultRecord>()
  #accesses = 0

  add(record: HistoryRecord): void {
    this.#records.push(record)
  }

  access(record: Omit<Access, 'id'>): void {
    // Below the ids of all clients.
    this.#records.push({ id: ++this.#accesses, ...record })
  }

  call(call: Acquire): void {
    this.#calls.set(call.id, call)
  }

  hold(hold: Hold): void {
    this.#holds.set(hold.id, hold)
  }

  /** By a number of its own, under which its end is recorded later. */
  fault(number: number, fault: FaultRecord): void {
    this.#faults.set(number, fault)
  }

  get faults(): readonly FaultRecord[] {
    return [...this.#faults.values()]
  }

  /** Whatever a client had begun when it died is of unknown outcome. */
  died(client: string): void {
    const completed = now()
    for (const call of this.#calls.values()) {
      if (call.client === client && call.completed === null) this.call({ ...call, completed, why: 'died' })
    }
  }

  /** Whether a client has a lock now, or waits for one, as far as is known. */
  isHolding(client: string): boolean {
    return this.#recent(this.#holds.values()).some((hold) => hold.client === client && hold.end === 'died')
  }

  isWaiting(client: string): boolean {
    return this.#recent(this.#calls.values()).some((call) => call.client === client && call.completed === null)
  }

  get operations(): number {
    return this.#calls.size + this.#accesses
  }

  /** In the order of their beginnings. */
  get records(): HistoryRecord[] {
    const all = [...this.#records, ...this.#faults.values(), ...this.#calls.values(), ...this.#holds.values()]
    return all.toSorted((a, b) => beginning(a) - beginning(b))
  }

  #recent<T>(records: Iterable<T>): T[] {
    return [...records].slice(-200)
  }
}

function beginning(record: HistoryRecord): number {
  if ('invoked' in record) return record.invoked
  if ('from' in record) return record.from
  return 'at' in record ? record.at : Number.POSITIVE_INFINITY
}
