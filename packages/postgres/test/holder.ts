/**
 * `node holder.ts JSON`: takes a lock and says so in a line of JSON. For every line that it reads then, it says how
 * `assertHeld()` in the first line of code goes, and whether a fenced register takes its write all the same.
 */
import { createInterface } from 'node:readline'
import { LockError, LockManager, type Lock } from '@locks/core'
import { postgres } from '@locks/postgres'
import { Client } from 'pg'

export interface Holder {
  readonly url: string
  readonly ttl: number
  readonly name: string
}

export interface Write {
  /** The code with which `assertHeld()` throws; null if it does not. */
  readonly error: string | null
  readonly aborted: boolean
  readonly accepted: boolean
}

/** A register that takes no write with a lower token than one before. */
export const register = `CREATE TABLE register (token bigint NOT NULL); INSERT INTO register VALUES (0)`

async function main({ url, ttl, name }: Holder): Promise<void> {
  const locks = new LockManager(postgres({ url }), { ttl })
  const lock = await locks.acquire(name)
  console.log(JSON.stringify({ token: String(lock.token) }))
  for await (const _ of createInterface({ input: process.stdin })) {
    const error = codeOf(lock)
    const { aborted } = lock.signal
    console.log(JSON.stringify({ error, aborted, accepted: await write(url, lock.token) } satisfies Write))
  }
  await locks.close()
}

function codeOf(lock: Lock): string | null {
  try {
    lock.assertHeld()
    return null
  } catch (error) {
    return LockError.find(error)?.code ?? String(error)
  }
}

async function write(url: string, token: bigint): Promise<boolean> {
  const client = new Client(url)
  await client.connect()
  const { rowCount } = await client.query('UPDATE register SET token = $1 WHERE token <= $1', [String(token)])
  await client.end()
  return rowCount === 1
}

if (process.argv[1] === import.meta.filename) await main(JSON.parse(process.argv[2] ?? '') as Holder)
