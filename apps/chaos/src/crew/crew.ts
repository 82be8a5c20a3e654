import type { LockManager } from '@locks/core'
import type { NetworkHost } from '@locks/testkit'
import type { Ledger } from '../ledger.ts'
import type { Commission, Order, Report } from '../protocol.ts'
import type { Resources } from '../resources.ts'
import type { Terms, Way } from '../work/open.ts'
import { LocalMember } from './local-member.ts'
import type { Member, Post } from './member.ts'
import { SeparateMember } from './process-member.ts'

export interface CrewOptions {
  readonly posts: readonly Post[]
  readonly seed: number
  readonly ttl: number
  readonly lanes: number
  readonly ledger: Ledger
  readonly resources: Resources
  /** How whoever has this place reaches the store. */
  wayOf(place: number): Way
  termsOf(post: Post, client: string): Terms
  /** For processes of their own: what their environment has more. */
  readonly env: NodeJS.ProcessEnv
  /** And where they are, if not on this one. */
  readonly host?: NetworkHost | undefined
  /** Given where the store is in this process, and its clients too. */
  readonly local?: ((commission: Commission) => Promise<LockManager>) | undefined
}

/** Whether this client's manager hands over locally: of any four in a row, one or two do. */
const handsOver = (seed: number, number: number): boolean => (seed + number) % 5 < 2

/** All clients that there are. Whoever dies is replaced at once, by one of another name. */
export class Crew {
  readonly #options: CrewOptions
  readonly #members = new Map<number, Member>()
  readonly #left = new Map<string, readonly string[]>()
  readonly #awaited = new Set<{ readonly is: Report['is']; readonly from: Member; readonly hear: () => void }>()
  #count = 0
  #dismissed = false
  #working = false

  constructor(options: CrewOptions) {
    this.#options = options
    for (const post of options.posts) this.#hire(post)
  }

  get members(): readonly Member[] {
    return [...this.#members.values()]
  }

  /** What each client that closed has left behind in its process. */
  get left(): ReadonlyMap<string, readonly string[]> {
    return this.#left
  }

  /** Everybody has begun and reached the store, or it is an error. */
  async ready(within: number): Promise<void> {
    const late = await this.#answers('ready', within)
    if (late.length > 0) throw new Error(`${late.join(', ')} could not begin within ${within} ms`)
  }

  go(): void {
    this.#working = true
    this.#tell({ is: 'go' })
  }

  /** Everybody ends what it does; the clients that have not by then. */
  settle(within: number): Promise<string[]> {
    this.#working = false
    return this.#ask({ is: 'settle' }, 'idle', within)
  }

  probe(timeout: number, within: number): Promise<string[]> {
    return this.#ask({ is: 'probe', timeout }, 'probed', within)
  }

  /** Everybody closes and leaves; whoever does not is killed and named. */
  async dismiss(within: number): Promise<string[]> {
    this.#dismissed = true
    const late = await this.#ask({ is: 'close' }, 'closed', within)
    for (const member of this.members) member.process?.kill()
    await Promise.all(this.members.filter(({ process }) => process).map(({ ended }) => ended))
    return late
  }

  #tell(order: Order): void {
    for (const member of this.members) member.send(order)
  }

  /** Gives an order to everybody, and waits for those who live; whose answer has not come in time. */
  #ask(order: Order, is: Report['is'], within: number): Promise<string[]> {
    const answers = this.#answers(is, within)
    this.#tell(order)
    return answers
  }

  async #answers(is: Report['is'], within: number): Promise<string[]> {
    const late = new Set(this.members)
    const answers = this.members.map(async (from) => {
      const answered = new Promise<void>((resolve) => this.#awaited.add({ is, from, hear: resolve }))
      await Promise.race([answered, from.ended])
      late.delete(from)
    })
    const timer = Promise.withResolvers<void>()
    const timeout = setTimeout(timer.resolve, within)
    await Promise.race([Promise.all(answers), timer.promise])
    clearTimeout(timeout)
    return [...late].map(({ client }) => client)
  }

  #hire(post: Post): void {
    const { seed, ttl, lanes, env, host, local, ledger } = this.#options
    const number = ++this.#count
    const client = `${post.role === 'prober' ? 'prober' : 'client'} ${number}`
    const hear = (report: Report) => this.#hear(member, report)
    const member: Member = local
      ? new LocalMember(client, post.place, local, hear)
      : new SeparateMember({ client, place: post.place, env, host }, hear)
    this.#members.set(post.place, member)
    const way = this.#options.wayOf(post.place)
    const handover = post.role === 'worker' && handsOver(seed, number)
    const terms = { ...this.#options.termsOf(post, client), handover: handover ? 'local' : 'store' } as const
    // Where there is a line, it is to be longer than one.
    const task = { client, number, seed, ttl, lanes: handover ? 2 * lanes : lanes, handover }
    member.send({ is: 'start', commission: { role: post.role, task, way, terms } })
    if (this.#working) member.send({ is: 'go' })
    void member.ended.then(() => {
      ledger.died(client)
      if (!this.#dismissed) this.#hire(post)
    })
  }

  #hear(from: Member, report: Report): void {
    const { ledger, resources } = this.#options
    const { client } = from
    switch (report.is) {
      case 'began':
      case 'ended':
        return ledger.call(report.call)
      case 'holds':
        return ledger.hold(report.hold)
      case 'observed':
        return ledger.add(report.change)
      case 'saw':
        return ledger.add(report.sighting)
      case 'tried':
        return void ledger.series.push(report.series)
      case 'access':
        return from.send({ is: 'answer', call: report.call, answer: resources.access(client, report.wish) })
      case 'broke':
        return void ledger.broken.push({ client, why: report.why, at: Number(process.hrtime.bigint()) / 1e6 })
      case 'closed':
        this.#left.set(client, report.left)
        return this.#answered(from, report.is)
      default:
        return this.#answered(from, report.is)
    }
  }

  #answered(from: Member, is: Report['is']): void {
    for (const each of this.#awaited) {
      if (each.from !== from || each.is !== is) continue
      this.#awaited.delete(each)
      each.hear()
    }
  }
}
