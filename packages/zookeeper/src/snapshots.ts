import { granted, type Entry } from '@locks/core/backend'
import type { Stat } from './answer.ts'
import type { Call } from './client.ts'
import { queueOf, type Seat } from './contenders.ts'
import { code, unless } from './failures.ts'
import { children, read, sync } from './operations.ts'
import type { Paths } from './paths.ts'
import { tokenOf } from './tokens.ts'

/** What a contender's node holds. */
interface Label {
  readonly clientId: string
  readonly owner: string
  /** Where the parent's path has a hash of it only. */
  readonly name?: string | undefined
  /** What its request wanted to be kept. */
  readonly value?: string | undefined
}

interface Told {
  readonly label: Label
  readonly stat: Stat
  /** Whether it held when that was read. */
  readonly held: boolean
}

/** So many names are asked about at a time. */
const mostAtOnce = 100

export function labelOf(clientId: string, owner: string, name?: string, value?: string): Buffer {
  return Buffer.from(JSON.stringify({ clientId, owner, name, value } satisfies Label))
}

/** Who holds and who waits. */
export class Snapshots {
  readonly #call: Call
  readonly #paths: Paths

  constructor(call: Call, paths: Paths) {
    this.#call = call
    this.#paths = paths
  }

  of(name: string): Promise<Entry[]> {
    const parent = this.#paths.parent(name)
    return this.#current(parent, () => this.#entries(parent, name))
  }

  all(): Promise<Entry[]> {
    return this.#current(this.#paths.namespace, () => this.#all())
  }

  /** With all that has happened anywhere before it was asked for; in one go, so that no connection comes between. */
  async #current<T>(path: string, look: () => Promise<T>): Promise<T> {
    const [, seen] = await Promise.all([this.#call(sync(path)), look()])
    return seen
  }

  async #all(): Promise<Entry[]> {
    const { namespace } = this.#paths
    const found = await unless(this.#call(children(namespace)), undefined, code.noNode)
    const names = (found?.names ?? []).filter((name) => this.#paths.isName(name))
    const entries: Entry[] = []
    while (names.length > 0) {
      const some = names.splice(0, mostAtOnce)
      const parts = await Promise.all(some.map((key) => this.#entries(`${namespace}/${key}`, key)))
      entries.push(...parts.flat())
    }
    return entries
  }

  /** As the queue was at one moment: when everybody in a list was already known. `name` is good unless they know better. */
  async #entries(parent: string, name: string): Promise<Entry[]> {
    const told = new Map<string, Told>()
    for (;;) {
      const list = await unless(this.#call(children(parent)), undefined, code.noNode)
      const queue = queueOf(list?.names ?? [])
      const holders = new Set(granted(queue))
      const unknown = queue.filter((seat) => {
        const known = told.get(seat.node)
        return !known || (holders.has(seat) && !known.held)
      })
      if (unknown.length === 0) return queue.map((seat) => entryOf(seat, holders.has(seat), name, told.get(seat.node)))
      const answers = unknown.map(async (seat) => {
        const found = await unless(this.#call(read(`${parent}/${seat.node}`)), undefined, code.noNode)
        if (found) told.set(seat.node, { label: labelIn(found.data), stat: found.stat, held: holders.has(seat) })
      })
      await Promise.all(answers)
    }
  }
}

function labelIn(data: Buffer): Label {
  try {
    return JSON.parse(data.toString()) as Label
  } catch {
    return { clientId: '', owner: '' }
  }
}

function entryOf({ mode, permits, weight, thief }: Seat, may: boolean, name: string, told: Told | undefined): Entry {
  const { label, stat } = told as Told
  // Nobody leads without a token, and a leader's is the write that confirms its grant.
  const holds = may && (label.value === undefined || thief || stat.version > 0)
  const entry: Entry = {
    name: label.name ?? name,
    mode,
    ...(mode === 'permit' && { permits, weight }),
    clientId: label.clientId,
    owner: label.owner,
    holds,
    ...(label.value !== undefined && { value: label.value }),
  }
  if (!holds) return { ...entry, since: stat.ctime }
  // A thief has it by the making of its node, everybody else by the last write.
  const zxid = thief ? stat.czxid : stat.mzxid
  return { ...entry, token: tokenOf(zxid), since: thief ? stat.ctime : stat.mtime }
}
