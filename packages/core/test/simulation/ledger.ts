import type { LockManagerSnapshot } from '@locks/core'
import type { Claim } from '@locks/core/backend'
import type { Call, Client } from './client.ts'
import type { Books, Server } from './server.ts'
import type { World } from './world.ts'

/** For how long the store may keep what a client does not want any more while all is well, ms. */
const soon = 3_000

/** What each client has called, in order, against what the store has done for it. */
export class Ledger implements Books {
  readonly #world: World
  readonly #clients = new Map<string, Client>()
  /** By verb and id: which call of its client it was. */
  readonly #calls = new Map<string, { readonly number: number; readonly behind: boolean }>()
  /** By client and name, and whether it was in line: the newest call that has taken effect. */
  readonly #newest = new Map<string, number>()
  /** By client and name: true time. */
  readonly #refusals = new Map<string, number>()
  readonly #acquired = new Set<string>()
  /** By client: since when the store has more of it than it wants, true time. */
  readonly #surplus = new Map<string, number>()
  /** How many grants the store has taken back: what a client waits for may be among them. */
  #taken = 0
  #count = 0

  constructor(world: World) {
    this.#world = world
  }

  register(client: Client): void {
    this.#clients.set(client.clientId, client)
  }

  called(verb: 'acquire' | 'remove', { id, wish: { names }, behind }: Pick<Call, 'id' | 'wish' | 'behind'>): void {
    if (names.length === 1) this.#calls.set(`${verb} ${id}`, { number: ++this.#count, behind })
  }

  /** What was released has been handed on: it is removed by another's release. */
  kept(id: string): void {
    this.#calls.delete(`remove ${id}`)
  }

  applied(clientId: string, verb: 'acquire' | 'remove', { id, names }: Claim): void {
    if (verb === 'acquire') this.#acquired.add(id)
    const key = `${verb} ${id}`
    const call = this.#calls.get(key)
    if (call === undefined) return
    // Only the first time counts.
    this.#calls.delete(key)
    const { number, behind } = call
    // Whoever stands in line comes to the store at a time of its own, in the order of the line.
    const newest = `${clientId} ${names[0]}${behind ? ' in line' : ''}`
    if (number < (this.#newest.get(newest) ?? 0) && this.#clients.get(clientId)?.calm) {
      this.#world.violated('order', `${key} took effect after a later call of its client about ${names[0]}`)
    }
    this.#newest.set(newest, number)
  }

  refused(clientId: string, names: readonly string[]): void {
    for (const name of names) this.#refusals.set(`${clientId} ${name}`, this.#world.now)
  }

  /** Whether the store has said no to a call of this client about a name since then. */
  wasRefused({ client: { clientId }, wish: { names }, since }: Call): boolean {
    return names.some((name) => (this.#refusals.get(`${clientId} ${name}`) ?? -1) >= since)
  }

  wasApplied(id: string): boolean {
    return this.#acquired.has(id)
  }

  /** Whether the store keeps what a client has not wanted for long, although nothing has ever gone wrong for it. */
  check(server: Server): void {
    this.#taken = server.forfeited.size
    for (const { owner } of server.sessions) {
      const { clientId, claims } = owner
      const client = this.#clients.get(clientId)
      if (!client?.calm || client.closed || claims.size <= client.wanted) {
        this.#surplus.delete(clientId)
        continue
      }
      const since = this.#surplus.get(clientId) ?? this.#world.now
      this.#surplus.set(clientId, since)
      if (this.#world.now > since + soon) {
        const ids = [...claims.keys()].join(', ')
        this.#world.violated('residue', `${client.machine.name}: wants ${client.wanted} of ${ids}`)
      }
    }
  }

  /** What the answer to a question that is asked now must show. */
  asked(client: Client, name: string): (found: LockManagerSnapshot) => void {
    // Whoever stands behind others has nothing at the store.
    const waiting = [...client.calls].filter(({ wish: { names }, behind }) => {
      return names.length === 1 && names[0] === name && !behind
    })
    const gone = new Set(client.released)
    return ({ held, pending }) => {
      if (!client.calm) return
      if (held.some(({ token = 0n }) => gone.has(client.hands.newest(token)))) {
        this.#world.violated(
          'order',
          `${client.machine.name}: a question about ${name} sees what was released before it`,
        )
      }
      const still = waiting.filter((call) => client.calls.has(call)).length
      const own = [...held, ...pending].filter(({ clientId }) => clientId === client.clientId).length
      if (own < still && this.#taken === 0) {
        this.#world.violated('order', `${client.machine.name}: a question about ${name} does not see an earlier call`)
      }
    }
  }
}
