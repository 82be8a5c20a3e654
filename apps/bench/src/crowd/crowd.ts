import { setTimeout as sleep } from 'node:timers/promises'
import type { MemberSpec, Turn } from './calls.ts'
import { Member } from './member.ts'

/** Processes full of clients of one subject, among whom a lock is handed over. */
export class Crowd {
  readonly #spec: MemberSpec
  readonly #processes: number
  #members: Promise<readonly Member[]> | undefined
  #rounds = 0

  constructor(spec: MemberSpec, processes: number) {
    this.#spec = spec
    this.#processes = processes
  }

  /** The mean time, ms, from one holder's release to the moment at which the next one has the lock. */
  async handOver(waiters: number, patience: number): Promise<number> {
    const { members, name } = await this.#ready()
    const [first] = members as [Member]
    await first.call('hold', name)
    await Promise.all(shares(waiters, members).map(([member, share]) => member.call('wait', name, share)))
    await this.#queued(first, name, waiters)
    const released = await first.call('release')
    return this.#mean(members, released, waiters, patience)
  }

  /** The mean time, ms, from one process's word to the next one's having heard it, as often as there would be waiters. */
  async relay(words: number, patience: number): Promise<number> {
    const { members, name } = await this.#ready()
    const channel = (at: number) => `${name}-${at % members.length}`
    const each = Math.ceil(words / members.length)
    await Promise.all(
      members.map((member, at) => {
        // The last word is the first one's, who begins it, too.
        const passes = at === 0 ? each - 1 : each
        return member.call('relay', { heard: channel(at), words: each, passed: channel(at + 1), passes })
      }),
    )
    const [first] = members as [Member]
    const begun = await first.call('begin', channel(1))
    return this.#mean(members, begun, words, patience)
  }

  async end(): Promise<void> {
    const members = await this.#members
    this.#members = undefined
    await Promise.all((members ?? []).map((member) => member.kill()))
  }

  async #ready(): Promise<{ members: readonly Member[]; name: string }> {
    this.#members ??= Promise.all(Array.from({ length: this.#processes }, () => Member.start(this.#spec)))
    return { members: await this.#members, name: `handoff-${this.#processes}-${process.pid}-${this.#rounds++}` }
  }

  async #queued(member: Member, name: string, waiters: number): Promise<void> {
    for (;;) {
      const waiting = await member.call('waiting', name)
      if (waiting === undefined) return sleep(settling + waiters / 5)
      if (waiting >= waiters) return
      await sleep(20)
    }
  }

  async #mean(members: readonly Member[], begun: number, waiters: number, patience: number): Promise<number> {
    const turns = (await Promise.all(members.map((member) => member.call('turns', patience)))).flat()
    // They would go on: nobody is to be measured beside them.
    if (turns.length < waiters) await this.end()
    return meanOf(turns, begun)
  }
}

/** For those who cannot say who waits: all have asked by then, ms. */
const settling = 50

/** Everybody's part of the waiters; those of one alone are not in the holder's process if there is another. */
function shares(waiters: number, members: readonly Member[]): [Member, number][] {
  const order = [...members.slice(1), ...members.slice(0, 1)]
  return order.map((member, at) => [member, Math.floor((waiters + order.length - 1 - at) / order.length)])
}

/** From the end of each turn to the beginning of the next. Throws where two were at a time. */
export function meanOf(turns: readonly Turn[], begun: number): number {
  if (turns.length === 0) throw new Error('nobody had it in time')
  let [sum, before] = [0, begun]
  for (const [granted, released] of turns.toSorted(([a], [b]) => a - b)) {
    if (granted < before) throw new Error('did not exclude')
    sum += granted - before
    before = released
  }
  return sum / turns.length
}
