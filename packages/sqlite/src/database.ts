import { statSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { LockError, shown, tokenSpacing, type Instant } from '@locks/core/backend'
import { DatabaseFailure, failureOf } from './failures.ts'
import { Table } from './table.ts'

const block = 1_024 * tokenSpacing
const latestSeed = 2 ** 52
/** Milliseconds; a renewal, by which holders are told, comes less often. */
const checkEvery = 100

/** What a transaction's work sees of it. The work may run twice before it is committed once. */
export interface Transaction {
  /** Read before it began: what it writes about time counts from here. */
  readonly now: Instant
  /** A number that is greater by `tokenSpacing` than all that this database has given, whatever crashes. */
  number(): number
  /** Every later number is at least this one. */
  atLeast(least: number): void
  /** Something to do when, and only if, the transaction has been committed. */
  after(run: () => void): void
  /** Another session to be woken then; once will do. */
  wake(session: number): void
}

export interface Committed<T> {
  readonly result: T
  readonly after: readonly (() => void)[]
  readonly woken: ReadonlySet<number>
}

/** Thrown through a transaction's work when it needs a number that only a synchronised commit may use. */
class BlockUsedUp extends Error {}

/** One connection. Every transaction is short, and none waits: a busy database is a failure at once. */
export class Database {
  readonly table: Table
  readonly #db: DatabaseSync
  readonly #files: readonly [path: string, identity: string][]
  readonly #sql: ReturnType<typeof prepare>
  #checkedAt = Number.NEGATIVE_INFINITY

  /** `real`: the path without symbolic links, beside which SQLite keeps its own files. */
  constructor(db: DatabaseSync, path: string, real: string) {
    this.#db = db
    this.#files = [path, `${real}-shm`].map((each) => [each, identityOf(each)])
    this.#sql = prepare(db)
    this.table = new Table(db)
  }

  /** Never calls `work` a second time after it was committed. */
  transact<T>(kind: 'read' | 'write', now: Instant, work: (tx: Transaction) => T): Committed<T> {
    this.#checkFiles(now)
    try {
      return this.#run(kind, now, false, work)
    } catch (error) {
      if (!(error instanceof BlockUsedUp)) throw failureOf(error)
      return this.#synchronised(() => this.#run(kind, now, true, work))
    }
  }

  /**
   * The first number of a new block. Commits that were not synchronised and the numbers in them may be lost with
   * the machine, and so is every process that knew them: whoever comes first thereafter comes through here. A
   * file made anew, or brought back from a copy, starts above what it has given by the clock.
   */
  skipBlock(now: Instant): number {
    return this.#synchronised(() =>
      this.#run('write', now, true, (tx) => {
        const { durable } = this.#counter()
        const next = Math.max(durable, Math.min(Math.floor(now.wall * 1_000), latestSeed))
        this.#sql.setCounter.run(next, next)
        return tx.number()
      }),
    ).result
  }

  close(): void {
    try {
      this.#db.close()
    } catch {
      // Nothing more can be done about it.
    }
  }

  /**
   * Deleted files go on working for those who have them open, while others make new ones in their place: of the
   * database, or of the memory through which its users see each other's locks.
   */
  #checkFiles(now: Instant): void {
    if (now.mono - this.#checkedAt < checkEvery) return
    this.#checkedAt = now.mono
    const changed = this.#files.find(([path, identity]) => identityOf(path) !== identity)
    if (!changed) return
    const message = `the database file ${shown(changed[0])} was deleted, moved or replaced while it was in use`
    throw new DatabaseFailure('broken', new LockError('UNAVAILABLE', message))
  }

  #synchronised<T>(run: () => T): T {
    try {
      this.#db.exec('PRAGMA synchronous = FULL')
      return run()
    } catch (error) {
      throw failureOf(error)
    } finally {
      this.#db.exec('PRAGMA synchronous = NORMAL')
    }
  }

  #run<T>(kind: 'read' | 'write', now: Instant, synchronised: boolean, work: (tx: Transaction) => T): Committed<T> {
    this.#sql[kind].run()
    let counter: { next: number; durable: number } | undefined
    const after: (() => void)[] = []
    const woken = new Set<number>()
    const number = () => {
      counter ??= this.#counter()
      // With the room behind it, in which its holder's manager may give tokens of its own.
      if (counter.next + tokenSpacing > counter.durable) {
        if (!synchronised) throw new BlockUsedUp()
        counter.durable = counter.next + block
      }
      const given = counter.next
      counter.next += tokenSpacing
      return given
    }
    const atLeast = (least: number) => {
      counter ??= this.#counter()
      if (counter.next >= least) return
      // A session that opens later starts from what is durable.
      if (!synchronised) throw new BlockUsedUp()
      counter = { next: least, durable: Math.max(counter.durable, least) }
    }
    let committing = false
    try {
      const result = work({
        now,
        number,
        atLeast,
        after: (run) => after.push(run),
        wake: (session) => woken.add(session),
      })
      if (counter) this.#sql.setCounter.run(counter.next, counter.durable)
      committing = true
      this.#sql.commit.run()
      return { result, after, woken }
    } catch (error) {
      this.#rollback()
      throw error instanceof BlockUsedUp ? error : failureOf(error, committing)
    }
  }

  #counter(): { next: number; durable: number } {
    return this.#sql.counter.get() as { next: number; durable: number }
  }

  #rollback(): void {
    try {
      this.#sql.rollback.run()
    } catch {
      // SQLite has rolled back by itself.
    }
  }
}

function identityOf(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false })
  return found ? `${found.dev}:${found.ino}` : 'missing'
}

function prepare(db: DatabaseSync) {
  return {
    read: db.prepare('BEGIN'),
    write: db.prepare('BEGIN IMMEDIATE'),
    commit: db.prepare('COMMIT'),
    rollback: db.prepare('ROLLBACK'),
    counter: db.prepare('SELECT next, durable FROM counter'),
    setCounter: db.prepare('UPDATE counter SET next = ?, durable = ?'),
  }
}
