/**
 * `node holder.ts URL TTL`: a process that holds locks, to be stopped and killed. What it is told comes by the line to
 * its parent, and so do its answers.
 */
import { LockError, LockManager, type Lock } from '@locks/core'
import { zookeeper } from '@locks/zookeeper'

/** The names to hold and to wait for; or: see what has become of the first, and write with its token. */
export type Order = { readonly hold: readonly string[]; readonly wait: readonly string[] } | 'write'

export interface Holding {
  /** Of the first. */
  readonly token: string
}

export interface Writing {
  /** What the first `assertHeld` has thrown. */
  readonly thrown: string | undefined
  /** A write that comes after it all the same. */
  readonly token: string
}

let first: Lock | undefined

async function main([url = '', ttl]: readonly string[]): Promise<void> {
  const locks = new LockManager(zookeeper({ url }), { ttl: Number(ttl) })
  await locks.connect()
  const answers = async (order: Order): Promise<Holding | Writing> => {
    if (order === 'write') return write()
    ;[first] = await Promise.all(order.hold.map((name) => locks.acquire(name)))
    for (const name of order.wait) locks.acquire(name).catch(() => {})
    return { token: String(first?.token) }
  }
  process.on('message', (order: Order) => void answers(order).then((answer) => process.send?.(answer)))
  process.on('disconnect', () => process.exit())
  process.send?.('ready')
}

function write(): Writing {
  const token = String(first?.token)
  try {
    first?.assertHeld()
    return { thrown: undefined, token }
  } catch (error) {
    return { thrown: LockError.find(error)?.code, token }
  }
}

if (process.argv[1] === import.meta.filename) await main(process.argv.slice(2))
