import { elapsed, type Clock, type Instant, type Timer } from '../clock.ts'
import { tokenSpacing, type Entry, type Grant, type Loss, type Request, type SessionEvents } from '../contract.ts'
import { Admission, checkKind } from '../queue.ts'
import { Subscriptions } from '../subscriptions.ts'

const spacing = BigInt(tokenSpacing)

/** Whose an entry is. */
export interface Owner {
  readonly clientId: string
  readonly label: string
  readonly ttl: number
  readonly clock: Clock
  readonly events: SessionEvents
  readonly claims: Map<string, Claimed>
  /** What was taken from it by force, in case it does not hear of that: until it asks, or would have expired. */
  readonly robbed: Map<string, Claimed>
}

/** One request, in the queue of each of its names. */
export class Claimed {
  readonly request: Request
  readonly owner: Owner
  sent: Instant
  tokens: readonly bigint[] | undefined
  since: number

  constructor(request: Request, owner: Owner, sent: Instant) {
    this.request = request
    this.owner = owner
    this.sent = sent
    this.since = sent.wall
  }

  get expired(): boolean {
    return this.left(this.owner.clock.now()) <= 0
  }

  /** Milliseconds to its expiry. */
  left(now: Instant): number {
    return this.owner.ttl - elapsed(this.sent, now)
  }

  get grant(): Grant | undefined {
    return this.tokens && { id: this.request.id, tokens: this.tokens, proof: { sent: this.sent, ttl: this.owner.ttl } }
  }
}

interface Queue {
  /** In order; the granted are the first. */
  entries: Claimed[]
  /** Runs when the next entry that others wait for expires. */
  expiry: Timer | undefined
}

/** All queues of one store. Events go out after the change that they tell of, never inside it. */
export class MemoryStore {
  readonly #queues = new Map<string, Queue>()
  readonly #watchers = new Subscriptions(() => Promise.resolve(() => {}))
  #lastToken = 0n

  acquire(request: Request, owner: Owner): Grant | 'queued' | null {
    const known = owner.claims.get(request.id)
    if (known) return known.grant ?? 'queued'
    for (const name of request.names) {
      checkKind(name, request, this.#settle(name)?.entries[0]?.request)
    }
    const now = owner.clock.now()
    const claimed = new Claimed(request, owner, now)
    const victims = request.steal ? this.#holders(request.names) : []
    let alone = true
    for (const name of request.names) {
      const { entries } = this.#queue(name)
      alone &&= entries.length === 0
      if (request.steal) entries.unshift(claimed)
      else entries.push(claimed)
    }
    owner.claims.set(request.id, claimed)
    // With the thief in its place, so that nobody else is granted what they leave.
    for (const victim of victims) this.#rob(victim)
    if (alone || this.#admitted(claimed)) {
      const grant = this.#mint(claimed, now)
      // Those whom a thief keeps waiting may have waited for another name until now.
      const changed = request.steal ? [claimed, ...victims].flatMap((each) => each.request.names) : []
      for (const name of new Set(changed)) this.#settle(name)
      return grant
    }
    if (request.wait) {
      for (const name of request.names) this.#settle(name)
      return 'queued'
    }
    this.#drop(claimed)
    return null
  }

  /** Removes entries, all before anybody is granted in their place: one that is to go must not be granted first. */
  remove(claims: readonly Claimed[]): void {
    for (const claimed of claims) this.#drop(claimed)
    for (const { request } of claims) for (const name of request.names) this.#settle(name)
  }

  /** Grants whoever can be granted under the names of claims that wait: they depend on nobody's release. */
  review(claims: Iterable<Claimed>): void {
    const names = new Set<string>()
    for (const { tokens, request } of claims) if (!tokens) for (const name of request.names) names.add(name)
    for (const name of names) this.#settle(name)
  }

  entries(name: string): Entry[] {
    this.#settle(name)
    const entries = this.#queues.get(name)?.entries ?? []
    return entries.map(({ request, owner, tokens, since }) => ({
      name,
      mode: request.mode,
      permits: request.permits,
      weight: request.weight,
      clientId: owner.clientId,
      owner: owner.label,
      holds: tokens !== undefined,
      token: tokens?.[request.names.indexOf(name)],
      since,
      value: request.value,
    }))
  }

  /** Answers with what ends it. */
  watch(name: string, changed: () => void): Promise<() => void> {
    return this.#watchers.add(name, changed)
  }

  /** All names have one counter. */
  raise(token: bigint): void {
    if (token > this.#lastToken) this.#lastToken = token
  }

  names(): string[] {
    return [...this.#queues.keys()]
  }

  #queue(name: string): Queue {
    const found = this.#queues.get(name)
    if (found) return found
    const made: Queue = { entries: [], expiry: undefined }
    this.#queues.set(name, made)
    return made
  }

  /** Grants whoever can be granted now, from the front to the first live contender that cannot. */
  #settle(name: string): Queue | undefined {
    const queue = this.#queues.get(name)
    if (!queue) return undefined
    queue.expiry?.cancel()
    queue.expiry = undefined
    const admission = new Admission()
    let least = Number.POSITIVE_INFINITY
    let clock: Clock | undefined
    let now = { mono: 0, wall: 0 }
    for (let at = 0; at < queue.entries.length;) {
      const claimed = queue.entries[at] as Claimed
      // Nearly always the same for all, and read once: a queue is gone through at every change.
      if (claimed.owner.clock !== clock) {
        clock = claimed.owner.clock
        now = clock.now()
      }
      const left = claimed.left(now)
      if (left <= 0) {
        this.#drop(claimed)
        continue
      }
      least = Math.min(least, left)
      if (!admission.admits(claimed.request)) {
        queue.expiry = clock.after(Math.max(1, least), () => this.#settle(name))
        break
      }
      admission.take(claimed.request)
      if (!claimed.tokens && (claimed.request.names.length === 1 || this.#admitted(claimed)))
        tell(claimed.owner, 'granted', this.#mint(claimed, claimed.owner.clock.now()))
      at++
    }
    if (queue.entries.length === 0) this.#queues.delete(name)
    return queue
  }

  /** Whether everything ahead of it, under each of its names, is compatible. */
  #admitted(claimed: Claimed): boolean {
    return claimed.request.names.every((name) => {
      const admission = new Admission()
      for (const ahead of this.#queues.get(name)?.entries ?? []) {
        if (!admission.admits(ahead.request)) return false
        if (ahead === claimed) return true
        admission.take(ahead.request)
      }
      return false
    })
  }

  #mint(claimed: Claimed, now: Instant): Grant {
    claimed.tokens = claimed.request.names.map(() => (this.#lastToken += spacing))
    claimed.since = now.wall
    this.#announce(claimed)
    return claimed.grant as Grant
  }

  #holders(names: readonly string[]): Claimed[] {
    const entries = names.flatMap((name) => this.#queues.get(name)?.entries ?? [])
    return [...new Set(entries.filter(({ tokens }) => tokens))]
  }

  #rob(victim: Claimed): void {
    this.#drop(victim)
    remember(victim)
    tell(victim.owner, 'lost', victim.request.id, 'stolen')
  }

  #drop(claimed: Claimed): void {
    claimed.owner.claims.delete(claimed.request.id)
    this.#announce(claimed)
    for (const name of claimed.request.names) {
      const queue = this.#queues.get(name)
      if (!queue) continue
      const at = queue.entries.indexOf(claimed)
      if (at === 0) queue.entries.shift()
      else if (at > 0) queue.entries.splice(at, 1)
      if (queue.entries.length > 0) continue
      queue.expiry?.cancel()
      this.#queues.delete(name)
    }
  }

  /** A leader has come or gone. */
  #announce({ request, tokens }: Claimed): void {
    if (!tokens || request.value === undefined) return
    for (const name of request.names) queueMicrotask(() => this.#watchers.tell(name))
  }
}

function remember(victim: Claimed): void {
  const { robbed } = victim.owner
  for (const [id, earlier] of robbed) if (earlier.expired) robbed.delete(id)
  robbed.set(victim.request.id, victim)
}

function tell(owner: Owner, what: 'granted', grant: Grant): void
function tell(owner: Owner, what: 'lost', id: string, how: Loss): void
function tell(owner: Owner, what: 'granted' | 'lost', about: Grant | string, how?: Loss): void {
  queueMicrotask(() => {
    if (what === 'granted') owner.events.granted(about as Grant)
    else owner.events.lost(about as string, how as Loss)
  })
}
