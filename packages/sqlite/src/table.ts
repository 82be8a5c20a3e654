import type { DatabaseSync } from 'node:sqlite'
import type { Mode, Request } from '@locks/core/backend'

/** An entry, with what a decision needs of it. */
export interface Row {
  readonly name: string
  readonly place: number
  readonly session: number
  readonly id: string
  readonly mode: Mode
  readonly permits: number
  readonly weight: number
  readonly size: number
  readonly token: number | null
  readonly expires: number
  readonly ttl: number
  readonly renewals: number
  /** Whether it has a value, 1 if so. */
  readonly valued: number
}

/** An entry as its namespace's readers see it. */
export interface ListedRow extends Row {
  readonly client: string
  readonly owner: string
  readonly since: number
  readonly value: string | null
}

/** A row that was removed. */
export interface Removed {
  readonly name: string
  /** 1 if it held the name with a value. */
  readonly led: number
}

export interface Newcomer {
  readonly name: string
  readonly place: number
  readonly token: number | null
  readonly request: Request
  readonly since: number
  readonly expires: number
}

/** Whose entries a session makes. */
export interface Owner {
  readonly session: number
  readonly client: string
  readonly owner: string
  readonly ttl: number
}

const led = 'token IS NOT NULL AND value IS NOT NULL AS led'
const columns =
  'name, place, session, id, mode, permits, weight, size, token, expires, ttl, renewals, value IS NOT NULL AS valued'
const listed = `SELECT ${columns}, client, owner, since, value FROM entry WHERE`
const listOrder = 'ORDER BY name, token IS NULL, place'
const frontRows = 8
const behindRows = 256

/** The rows, one short statement at a time. What is to be done with them is decided elsewhere. */
export class Table {
  readonly #sql: ReturnType<typeof prepare>

  constructor(db: DatabaseSync) {
    this.#sql = prepare(db)
  }

  /** A name's queue in its order, read as far as it is asked for: few at first, as most queues are short. */
  *queue(name: string): Generator<Row> {
    const { front, behind } = this.#sql
    const first = front.all(name) as unknown as Row[]
    yield* first
    for (let last = first[frontRows - 1]; last;) {
      const rows = behind.all(name, last.place) as unknown as Row[]
      yield* rows
      last = rows[behindRows - 1]
    }
  }

  holders(name: string): Row[] {
    return this.#sql.holders.all(name) as unknown as Row[]
  }

  /** The entries of one claim, in the order of its names. */
  claim(session: number, id: string): Row[] {
    return this.#sql.claim.all(session, id) as unknown as Row[]
  }

  claims(session: number, ids: readonly string[]): Row[] {
    return this.#sql.claims.all(session, JSON.stringify(ids)) as unknown as Row[]
  }

  ofSession(session: number): Row[] {
    return this.#sql.ofSession.all(session) as unknown as Row[]
  }

  /** What other sessions have granted to this one since it was last told. */
  untold(session: number): Row[] {
    return this.#sql.untold.all(session) as unknown as Row[]
  }

  hasAny(session: number): boolean {
    return this.#sql.hasAny.get(session) !== undefined
  }

  listName(name: string): ListedRow[] {
    return this.#sql.listName.all(name) as unknown as ListedRow[]
  }

  /** Of all names from one, included, to another, excluded. */
  listRange(from: string, to: string): ListedRow[] {
    return this.#sql.listRange.all(from, to) as unknown as ListedRow[]
  }

  namesExpiredAt(wall: number, limit: number): string[] {
    return this.#sql.expired.all(wall, limit).map((row) => String(row['name']))
  }

  insert(owner: Owner, { name, place, token, request, since, expires }: Newcomer): void {
    const { id, mode, permits = 1, weight = 1, names, value = null } = request
    const { session, client, owner: label, ttl } = owner
    const kind = [mode, permits, weight, names.length]
    this.#sql.insert.run(name, place, session, id, client, label, ...kind, token, since, expires, ttl, value)
  }

  /** To this session's own claim, which is told after the commit and counts from now. */
  grantOwn(name: string, place: number, token: number, since: number, expires: number): void {
    this.#sql.grantOwn.run(token, since, expires, name, place)
  }

  /** To another session's claim: its expiry stays what its own last heartbeat made it. */
  grantOther(name: string, place: number, token: number, since: number): void {
    this.#sql.grantOther.run(token, since, name, place)
  }

  renew(session: number, ids: readonly string[], expires: number): void {
    this.#sql.renew.run(expires, session, JSON.stringify(ids))
  }

  remove(session: number, id: string): Removed[] {
    return this.#sql.remove.all(session, id) as unknown as Removed[]
  }

  removeSession(session: number): Removed[] {
    return this.#sql.removeSession.all(session) as unknown as Removed[]
  }

  /** Keeps in mind that a claim was robbed, until its session asks or would have lost it anyway. */
  addStolen(row: Row, wall: number): void {
    this.#sql.addStolen.run(row.session, row.id, wall + row.ttl)
  }

  takeStolen(session: number, id: string): boolean {
    return Number(this.#sql.takeStolen.run(session, id).changes) > 0
  }

  takeAllStolen(session: number): string[] {
    return this.#sql.takeAllStolen.all(session).map((row) => String(row['id']))
  }

  removeStolenExpiredAt(wall: number): void {
    this.#sql.removeStolen.run(wall)
  }
}

function prepare(db: DatabaseSync) {
  const ids = 'id IN (SELECT value FROM json_each(?))'
  return {
    // The limits are no parameters: SQLite would compile the statement anew each time.
    front: db.prepare(`SELECT ${columns} FROM entry WHERE name = ? ORDER BY place LIMIT ${frontRows}`),
    behind: db.prepare(`SELECT ${columns} FROM entry WHERE name = ? AND place > ? ORDER BY place LIMIT ${behindRows}`),
    holders: db.prepare(`SELECT ${columns} FROM entry WHERE name = ? AND token IS NOT NULL ORDER BY place`),
    // A thief's places are negative, its numbers rise like everybody's.
    claim: db.prepare(`SELECT ${columns} FROM entry WHERE session = ? AND id = ? ORDER BY abs(place)`),
    claims: db.prepare(`SELECT ${columns} FROM entry WHERE session = ? AND ${ids} ORDER BY abs(place)`),
    ofSession: db.prepare(`SELECT ${columns} FROM entry WHERE session = ? ORDER BY abs(place)`),
    untold: db.prepare(
      `SELECT ${columns} FROM entry WHERE session = ? AND token IS NOT NULL AND told = 0 ORDER BY abs(place)`,
    ),
    hasAny: db.prepare('SELECT 1 FROM entry WHERE session = ? LIMIT 1'),
    listName: db.prepare(`${listed} name = ? ${listOrder}`),
    listRange: db.prepare(`${listed} name >= ? AND name < ? ${listOrder}`),
    expired: db.prepare('SELECT DISTINCT name FROM entry WHERE expires <= ? LIMIT ?'),
    insert: db.prepare(
      `INSERT INTO entry
        (name, place, session, id, client, owner, mode, permits, weight, size, token, since, expires, ttl, value)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    grantOwn: db.prepare(
      'UPDATE entry SET token = ?, since = ?, expires = ?, renewals = renewals + 1 WHERE name = ? AND place = ?',
    ),
    grantOther: db.prepare('UPDATE entry SET token = ?, since = ?, told = 0 WHERE name = ? AND place = ?'),
    renew: db.prepare(`UPDATE entry SET expires = ?, renewals = renewals + 1, told = 1 WHERE session = ? AND ${ids}`),
    remove: db.prepare(`DELETE FROM entry WHERE session = ? AND id = ? RETURNING name, ${led}`),
    removeSession: db.prepare(`DELETE FROM entry WHERE session = ? RETURNING name, ${led}`),
    addStolen: db.prepare('INSERT OR REPLACE INTO stolen VALUES (?, ?, ?)'),
    takeStolen: db.prepare('DELETE FROM stolen WHERE session = ? AND id = ?'),
    takeAllStolen: db.prepare('DELETE FROM stolen WHERE session = ? RETURNING id'),
    removeStolen: db.prepare('DELETE FROM stolen WHERE expires <= ?'),
  }
}
