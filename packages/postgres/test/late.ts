/**
 * `node late.ts URL`: a holder that counts up, with a guard, and does not ask whether it still holds between its read and
 * its write. It says what it has read; at a line on its input it writes in a transaction, and says how that went.
 */
import { once } from 'node:events'
import { LockError, LockManager, type Bearer } from '@locks/core'
import { fenceTable, postgres, PostgresGuard } from '@locks/postgres'
import { Client, type ClientBase } from 'pg'

/** The ttl of its lock, ms. */
export const ttl = 1_000

export interface Read {
  readonly token: string
  readonly count: number
}

export interface Written {
  readonly held: boolean
  /** The code and the reason with which the write was refused; null: it was taken. */
  readonly refused: { readonly code?: string; readonly reason?: string | undefined } | null
}

export const tables = `${fenceTable()}
CREATE TABLE counter (count int NOT NULL);
INSERT INTO counter VALUES (0)`

const guard = new PostgresGuard('counter')

export const countIn = async (client: ClientBase): Promise<number> =>
  ((await client.query('SELECT count FROM counter')).rows as { count: number }[])[0]?.count ?? Number.NaN

/** Writes the whole count anew, whatever it is. */
export async function write(client: ClientBase, bearer: Bearer, count: number): Promise<void> {
  await client.query('BEGIN')
  try {
    await guard.enter(client, bearer)
    await client.query('UPDATE counter SET count = $1', [count])
    await client.query('COMMIT')
  } catch (error) {
    await client.query('ROLLBACK')
    throw error
  }
}

async function main(url: string): Promise<void> {
  const locks = new LockManager(postgres({ url }), { ttl })
  const client = new Client(url)
  await client.connect()
  const lock = await locks.acquire('counter')
  await guard.enter(client, lock)
  const count = await countIn(client)
  console.log(JSON.stringify({ token: String(lock.token), count } satisfies Read))
  await once(process.stdin, 'data')
  const { held } = lock
  const refused = await write(client, lock, count + 1).then(
    () => null,
    (error: unknown) => {
      const { code, reason } = LockError.find(error) ?? {}
      return { code: code ?? String(error), reason }
    },
  )
  console.log(JSON.stringify({ held, refused } satisfies Written))
}

if (process.argv[1] === import.meta.filename) await main(process.argv[2] ?? '')
