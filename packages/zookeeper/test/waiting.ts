/**
 * `node waiting.ts JSON`: a process full of waiters, for tests of what they cost. It says in a line of JSON that all have
 * queued; each gives its lock back at once; then it says when each was granted and released, on the machine's clock.
 */
import { LockManager, type Lock } from '@locks/core'
import { zookeeper } from '@locks/zookeeper'

export interface Waiting {
  readonly url: string
  readonly ttl: number
  readonly names: readonly string[]
  /** How many wait, spread over the names. */
  readonly waiters: number
}

/** Milliseconds on a clock that all processes of the machine share. */
export interface Held {
  readonly token: string
  readonly granted: number
  readonly released: number
}

export const machineTime = (): number => Number(process.hrtime.bigint()) / 1e6

async function main({ url, ttl, names, waiters }: Waiting): Promise<void> {
  // To ask who waits takes a question for each of them, on a machine that has other things to do.
  const locks = new LockManager(zookeeper({ url }), { ttl, connectTimeout: 60_000 })
  await locks.connect()
  const { clientId } = await itself(locks)
  const held: Held[] = []
  const use = (lock: Lock) => {
    const granted = machineTime()
    held.push({ token: String(lock.token), granted, released: machineTime() })
    return lock.release()
  }
  const all = Array.from({ length: waiters }, (_, at) => locks.acquire(names[at % names.length] ?? '').then(use))
  for (const name of names) {
    const expected = Math.ceil((waiters - names.indexOf(name)) / names.length)
    // It tells of every earlier call of this manager.
    const { pending } = await locks.query(name)
    const own = pending.filter((waiter) => waiter.clientId === clientId).length
    if (own !== expected) throw new Error(`${own} instead of ${expected} wait for ${name}`)
  }
  console.log(JSON.stringify({ waiting: true }))
  await Promise.all(all)
  console.log(JSON.stringify({ held }))
  await locks.close()
}

/** What others see of this manager. */
async function itself(locks: LockManager): Promise<{ clientId: string }> {
  const name = `itself ${process.pid}`
  const lock = await locks.acquire(name)
  const { held } = await locks.query(name)
  await lock.release()
  const [info] = held
  if (!info) throw new Error('does not see itself')
  return info
}

if (process.argv[1] === import.meta.filename) await main(JSON.parse(process.argv[2] ?? '') as Waiting)
