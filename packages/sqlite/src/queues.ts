import { Admission, type Claim, type Grant, type Instant, type Request } from '@locks/core/backend'
import type { Transaction } from './database.ts'
import { Expiry } from './expiry.ts'
import type { Owner, Removed, Row, Table } from './table.ts'

/** What a session is told, after the commit that made it so. */
export interface Told {
  /** A claim was queued; nobody ahead of it expires sooner than in `ms`. */
  waits(claim: Claim, ms: number): void
  granted(grant: Grant): void
  stolen(id: string): void
  /** A claim waits no longer, by an answer that says the rest. */
  answered(id: string): void
  /** The last entry of a dead session was dropped. */
  died(session: number): void
  /** Somebody has come to hold this name with a value, or did so no longer. */
  ruled(name: string): void
}

/** The end of a name's queue, where a newcomer would stand. */
export interface End {
  readonly first: Row | undefined
  readonly admission: Admission
  readonly blocked: boolean
  /** Milliseconds until the first of those expires whom others wait for. */
  readonly left: number
}

/** The queues in the file: who is granted, passed over and robbed. Names are as the table has them. */
export class Queues {
  readonly #table: Table
  readonly #owner: Owner
  readonly #expiry: Expiry
  readonly #told: Told

  constructor(table: Table, owner: Owner, told: Told) {
    this.#table = table
    this.#owner = owner
    this.#expiry = new Expiry(owner.session)
    this.#told = told
  }

  isLive(row: Row, now: Instant): boolean {
    return this.#expiry.left(row, now) > 0
  }

  /** Grants whoever can be granted under these names, and under those that this sets free. */
  settle(tx: Transaction, names: Iterable<string>): Map<string, End> {
    const ends = new Map<string, End>()
    const unsettled = new Set(names)
    for (const name of unsettled) {
      unsettled.delete(name)
      ends.set(name, this.#walk(tx, name, unsettled))
    }
    return ends
  }

  /** A thief stands ahead of all others, the latest first. A claim that is granted at once has its number as token. */
  insert(tx: Transaction, name: string, request: Request, grant: boolean): number {
    const number = tx.number()
    const place = request.steal ? -number : number
    const { wall } = tx.now
    const token = grant ? number : null
    if (grant && request.value !== undefined) tx.after(() => this.#told.ruled(name))
    this.#table.insert(this.#owner, { name, place, token, request, since: wall, expires: wall + this.#owner.ttl })
    return number
  }

  /** Takes a name from its holders; answers with all names that they had. */
  rob(tx: Transaction, name: string): string[] {
    this.#table.removeStolenExpiredAt(tx.now.wall)
    return this.#table.holders(name).flatMap((victim) => {
      if (victim.session === this.#owner.session) tx.after(() => this.#told.stolen(victim.id))
      else {
        this.#table.addStolen(victim, tx.now.wall)
        tx.wake(victim.session)
      }
      return this.remove(tx, victim.session, victim.id)
    })
  }

  /** Removes a claim; answers with its names, none if it was not there. */
  remove(tx: Transaction, session: number, id: string): string[] {
    return this.#removed(tx, this.#table.remove(session, id))
  }

  removeSession(tx: Transaction, session: number): string[] {
    return this.#removed(tx, this.#table.removeSession(session))
  }

  /** Removes an expired claim; answers with its names. */
  drop(tx: Transaction, row: Row): string[] {
    const { session, id } = row
    const names = this.remove(tx, session, id)
    if (session !== this.#owner.session && !this.#table.hasAny(session)) tx.after(() => this.#told.died(session))
    return names
  }

  grantOf(tx: Transaction, id: string, tokens: readonly number[]): Grant {
    return { id, tokens: tokens.map(BigInt), proof: { sent: tx.now, ttl: this.#owner.ttl } }
  }

  #removed(tx: Transaction, rows: readonly Removed[]): string[] {
    for (const { name, led } of rows) if (led) tx.after(() => this.#told.ruled(name))
    return rows.map(({ name }) => name)
  }

  /** From the front to the first live contender that cannot be granted. */
  #walk(tx: Transaction, name: string, unsettled: Set<string>): End {
    const admission = new Admission()
    let first: Row | undefined
    let left = Number.POSITIVE_INFINITY
    for (const row of this.#table.queue(name)) {
      const ms = this.#expiry.left(row, tx.now)
      if (ms <= 0) {
        for (const other of this.drop(tx, row)) if (other !== name) unsettled.add(other)
        continue
      }
      first ??= row
      left = Math.min(left, ms)
      if (!admission.admits(row)) return { first, admission, blocked: true, left }
      admission.take(row)
      if (row.token === null) this.#grantIfAdmitted(tx, row)
    }
    return { first, admission, blocked: false, left }
  }

  #grantIfAdmitted(tx: Transaction, row: Row): void {
    const rows = row.size === 1 ? [row] : this.#table.claim(row.session, row.id)
    if (row.size > 1 && !rows.every((each) => this.#admitted(each))) return
    const { session, ttl } = this.#owner
    const { wall } = tx.now
    const own = row.session === session
    const tokens = rows.map(({ name, place, valued }) => {
      const token = tx.number()
      if (valued) tx.after(() => this.#told.ruled(name))
      if (own) this.#table.grantOwn(name, place, token, wall, wall + ttl)
      else this.#table.grantOther(name, place, token, wall)
      return token
    })
    if (!own) return tx.wake(row.session)
    const grant = this.grantOf(tx, row.id, tokens)
    tx.after(() => this.#told.granted(grant))
  }

  /** Whether everything ahead of it under its name is compatible. */
  #admitted(row: Row): boolean {
    const admission = new Admission()
    for (const ahead of this.#table.queue(row.name)) {
      if (!admission.admits(ahead)) return false
      if (ahead.place === row.place) return true
      admission.take(ahead)
    }
    return false
  }
}
