/**
 * `node late.ts URL`: a holder that counts up and does not ask whether it still holds between its read and its write. It
 * says what it has read; at a line on its input it writes, with a guard and then without, and says how that went.
 */
import { once } from 'node:events'
import { LockError, LockManager } from '@locks/core'
import { etcd, EtcdGuard } from '@locks/etcd'
import { Etcd3 } from 'etcd3'

/** The ttl of its lock, ms. */
export const ttl = 2_000

export interface Read {
  readonly token: string
  readonly count: number
}

export interface Written {
  readonly held: boolean
  /** The code with which the guarded write was refused; null: it was taken. */
  readonly refused: string | null
  /** Whether a transaction of its own under the same condition took place. */
  readonly succeeded: boolean
}

export const countIn = async (client: Etcd3): Promise<number> => Number(await client.get('count'))

async function main(url: string): Promise<void> {
  const locks = new LockManager(etcd({ url }), { ttl })
  const client = new Etcd3({ hosts: url.replace('etcd:', 'http:') })
  const guard = new EtcdGuard(client)
  const lock = await locks.acquire('count')
  const count = await countIn(client)
  console.log(JSON.stringify({ token: String(lock.token), count } satisfies Read))
  await once(process.stdin, 'data')
  const { held } = lock
  const refused = await guard.commit(lock, client.put('count').value(count + 1)).then(
    () => null,
    (error: unknown) => LockError.find(error)?.code ?? String(error),
  )
  const { succeeded } = await guard.if(lock).then(client.put('count').value(99)).commit()
  console.log(JSON.stringify({ held, refused, succeeded } satisfies Written))
  await once(process.stdin, 'data')
  await client.put('count').value(count + 1)
  console.log(JSON.stringify('written'))
}

if (process.argv[1] === import.meta.filename) await main(process.argv[2] ?? '')
