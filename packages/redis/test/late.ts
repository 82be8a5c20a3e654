/**
 * `node late.ts URL`: a holder that counts up, with a guard, and does not ask whether it still holds between its read and
 * its write. It says what it has read; at a line on its input it writes, and says how that went.
 */
import { once } from 'node:events'
import { LockError, LockManager } from '@locks/core'
import { redis, RedisGuard } from '@locks/redis'
import { Redis } from 'ioredis'

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

/** Writes the whole count anew, whatever it is. */
export const set = `redis.call('SET', KEYS[1], ARGV[1])`

async function main(url: string): Promise<void> {
  const locks = new LockManager(redis({ url, restartGrace: false }), { ttl })
  const client = new Redis(url)
  const guard = new RedisGuard(client, '{count}:fence')
  const lock = await locks.acquire('count')
  await guard.enter(lock)
  const count = Number(await client.get('{count}'))
  console.log(JSON.stringify({ token: String(lock.token), count } satisfies Read))
  await once(process.stdin, 'data')
  const { held } = lock
  const refused = await guard.run(lock, set, { keys: ['{count}'], args: [count + 1] }).then(
    () => null,
    (error: unknown) => {
      const { code, reason } = LockError.find(error) ?? {}
      return { code: code ?? String(error), reason }
    },
  )
  console.log(JSON.stringify({ held, refused } satisfies Written))
}

if (process.argv[1] === import.meta.filename) await main(process.argv[2] ?? '')
