import { checkBearer, invalid, outdated, shown, type Bearer } from '@locks/core/backend'
import type { ClientBase, Pool } from 'pg'
import { enter, newerHolder, tableNamed } from './sql/fence.ts'

export interface GuardOptions {
  /** The table that {@link fenceTable} makes, with a schema where it needs one: `fence` unless said otherwise. */
  readonly table?: string | undefined
}

/**
 * Guards data in Postgres, by the application's own connections. What has come to each resource is a row of one table
 * ({@link fenceTable}), which belongs into the database of the data, and is not to be deleted as long as a holder may
 * be late. The lock may be of any store.
 */
export class PostgresGuard {
  readonly #resource: string
  readonly #statement: string

  constructor(resource: string, { table = 'fence' }: GuardOptions = {}) {
    if (typeof resource !== 'string') throw invalid(`PostgresGuard takes a resource's name; got ${shown(resource)}`)
    this.#resource = resource
    this.#statement = enter(tableNamed(table))
  }

  /**
   * Lets a holder in, and from now on refuses whoever held the lock before it. Rejects with `LOST` where a newer one
   * has been let in.
   *
   * Before a holder's first read it may be a statement by itself, of a client or a pool. For a write it has to be **in
   * the same transaction, of the same client**, and first in it: the row of the resource stays locked until that ends,
   * so that others who come wait for it, and those who write before they enter may deadlock with them. Whoever is
   * refused cannot commit any more, because the server has failed the transaction. What is rolled back has not been.
   *
   * Errors of the driver's are passed on as they are: above READ COMMITTED, 40001 says that somebody came at the same
   * time (begin the transaction anew).
   */
  async enter(client: ClientBase | Pool, bearer: Bearer): Promise<void> {
    checkBearer(bearer)
    const { token, mode } = bearer
    try {
      await client.query(this.#statement, [this.#resource, String(token), mode])
    } catch (error) {
      throw isRefusal(error) ? outdated(token) : error
    }
  }
}

function isRefusal(error: unknown): boolean {
  const { code, constraint } = error as { code?: unknown; constraint?: unknown }
  return code === '23514' && constraint === newerHolder
}
