/**
 * `node holder.ts URL NAME TTL`: a process that holds a lock and says so in a line of JSON. At each line that it reads
 * it says whether it may still act, and with which token it would.
 */
import { createInterface } from 'node:readline'
import { LockError, LockManager } from '@locks/core'
import { etcd } from '@locks/etcd'

export interface Said {
  readonly token: string
  /** The code of what `assertHeld()` threw. */
  readonly refused?: string | undefined
}

const [url = '', name = '', ttl = ''] = process.argv.slice(2)
const locks = new LockManager(etcd({ url }), { ttl: Number(ttl) })
const lock = await locks.acquire(name)
const token = String(lock.token)
const say = (said: Said) => console.log(JSON.stringify(said))
say({ token })
for await (const _ of createInterface({ input: process.stdin })) {
  try {
    lock.assertHeld()
    say({ token })
  } catch (error) {
    say({ token, refused: LockError.find(error)?.code })
  }
}
