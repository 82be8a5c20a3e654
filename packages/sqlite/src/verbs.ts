import {
  checkKind,
  decodeName,
  type Claim,
  type Entry,
  type Grant,
  type Instant,
  type Loss,
  type Proof,
  type Request,
} from '@locks/core/backend'
import type { Transaction } from './database.ts'
import { Queues, type End, type Told } from './queues.ts'
import type { ListedRow, Owner, Row, Table } from './table.ts'

const mostSwept = 1_000

/** What a session asks of the queues of its namespace, each within a transaction. */
export class Verbs {
  readonly #table: Table
  readonly #owner: Owner
  readonly #prefix: string
  readonly #told: Told
  readonly #queues: Queues

  constructor(table: Table, owner: Owner, namespace: string, told: Told) {
    this.#table = table
    this.#owner = owner
    // Neither holds a slash, as they are encoded.
    this.#prefix = `${namespace}/`
    this.#told = told
    this.#queues = new Queues(table, owner, told)
  }

  acquire(tx: Transaction, request: Request): Grant | 'queued' | null {
    const found = this.#again(tx, request)
    if (found) return found
    const names = this.#stored(request)
    const settled = this.#queues.settle(tx, names)
    const ends = names.map((name) => settled.get(name) as End)
    // Before the first write of its own: what is refused leaves nothing.
    request.names.forEach((name, at) => checkKind(name, request, ends[at]?.first))
    const free = ends.every(({ blocked, admission }) => !blocked && admission.admits(request))
    const grant = request.steal || free
    if (!grant && !request.wait) return null
    const robbed = request.steal ? names.flatMap((name) => this.#queues.rob(tx, name)) : []
    const numbers = names.map((name) => this.#queues.insert(tx, name, request, grant))
    if (robbed.length > 0) this.#queues.settle(tx, robbed)
    if (grant) return this.#queues.grantOf(tx, request.id, numbers)
    const left = Math.min(...ends.map((end) => end.left))
    tx.after(() => this.#told.waits(request, left))
    return 'queued'
  }

  renew(tx: Transaction, claims: readonly Claim[]): ReadonlyMap<string, Grant | Proof | Loss> {
    const ids = claims.map(({ id }) => id)
    const found = Map.groupBy(this.#table.claims(this.#owner.session, ids), ({ id }) => id)
    const standings = new Map<string, Grant | Proof | Loss>()
    const live: string[] = []
    const unsettled = new Set<string>()
    for (const id of ids) {
      const rows = found.get(id) ?? []
      const [first] = rows
      if (!first || !this.#queues.isLive(first, tx.now)) {
        if (first) for (const name of this.#queues.drop(tx, first)) unsettled.add(name)
        standings.set(id, this.#table.takeStolen(this.#owner.session, id) ? 'stolen' : 'gone')
        tx.after(() => this.#told.answered(id))
        continue
      }
      live.push(id)
      // Those behind a holder are looked after by their own sessions.
      if (first.token === null) for (const { name } of rows) unsettled.add(name)
      standings.set(id, this.#standing(tx, id, rows))
    }
    this.#keep(tx, live)
    this.#queues.settle(tx, unsettled)
    return standings
  }

  remove(tx: Transaction, claim: Claim): boolean {
    const { session } = this.#owner
    const names = this.#queues.remove(tx, session, claim.id)
    if (names.length > 0) this.#queues.settle(tx, names)
    else this.#table.takeStolen(session, claim.id)
    tx.after(() => this.#told.answered(claim.id))
    return names.length > 0
  }

  /** Passes over the dead under these names, and tells what has been granted or stolen; ms to the next expiry. */
  look(tx: Transaction, names: readonly string[]): number {
    const { session } = this.#owner
    const ends = this.#queues.settle(
      tx,
      names.map((name) => this.stored(name)),
    )
    const news = Map.groupBy(this.#table.untold(session), ({ id }) => id)
    this.#keep(tx, [...news.keys()])
    for (const [id, rows] of news) {
      const grant = this.#queues.grantOf(tx, id, tokensOf(rows))
      tx.after(() => this.#told.granted(grant))
    }
    for (const id of this.#table.takeAllStolen(session)) tx.after(() => this.#told.stolen(id))
    return Math.min(...[...ends.values()].map(({ left }) => left))
  }

  own(): Claim[] {
    const claims = Map.groupBy(this.#table.ofSession(this.#owner.session), ({ id }) => id)
    return [...claims].map(([id, rows]) => ({ id, names: rows.map(({ name }) => this.#given(name)) }))
  }

  list(now: Instant, name: string | undefined): Entry[] {
    const prefix = this.#prefix
    // "0" is what follows "/".
    const end = `${prefix.slice(0, -1)}0`
    const rows = name === undefined ? this.#table.listRange(prefix, end) : this.#table.listName(this.stored(name))
    return rows.filter((row) => this.#queues.isLive(row, now)).map((row) => this.#entryOf(row))
  }

  /** A name as the table has it. */
  stored(name: string): string {
    return this.#prefix + name
  }

  /** Removes everything of this session. */
  clear(tx: Transaction): void {
    const { session } = this.#owner
    const names = this.#queues.removeSession(tx, session)
    this.#table.takeAllStolen(session)
    this.#queues.settle(tx, names)
  }

  /** Drops what dead sessions have left under names that nobody may ask for again. */
  sweep(tx: Transaction): void {
    this.#table.removeStolenExpiredAt(tx.now.wall)
    this.#queues.settle(tx, this.#table.namesExpiredAt(tx.now.wall, mostSwept))
  }

  /** A repeated request finds its own entry. */
  #again(tx: Transaction, { id }: Request): Grant | 'queued' | undefined {
    const rows = this.#table.claim(this.#owner.session, id)
    const [first] = rows
    if (!first) return undefined
    if (!this.#queues.isLive(first, tx.now)) {
      this.#queues.settle(tx, this.#queues.drop(tx, first))
      return undefined
    }
    const standing = this.#standing(tx, id, rows)
    if (!('tokens' in standing)) return 'queued'
    this.#keep(tx, [id])
    tx.after(() => this.#told.answered(id))
    return standing
  }

  #standing(tx: Transaction, id: string, rows: readonly Row[]): Grant | Proof {
    if (rows[0]?.token === null) return { sent: tx.now, ttl: this.#owner.ttl }
    return this.#queues.grantOf(tx, id, tokensOf(rows))
  }

  #keep(tx: Transaction, ids: readonly string[]): void {
    if (ids.length > 0) this.#table.renew(this.#owner.session, ids, tx.now.wall + this.#owner.ttl)
  }

  #entryOf(row: ListedRow): Entry {
    const { mode, permits, weight, client, owner, token, since, value } = row
    return {
      name: this.#given(row.name),
      mode,
      ...(mode === 'permit' && { permits, weight }),
      clientId: client,
      owner: decodeName(owner),
      holds: token !== null,
      ...(token !== null && { token: BigInt(token) }),
      since,
      ...(value !== null && { value }),
    }
  }

  #stored(claim: Claim): string[] {
    return claim.names.map((name) => this.stored(name))
  }

  #given(name: string): string {
    return name.slice(this.#prefix.length)
  }
}

function tokensOf(rows: readonly Row[]): number[] {
  return rows.map(({ token }) => Number(token))
}
