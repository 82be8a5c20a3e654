import type { Lock, LockManager } from '@locks/core'
import type { EtcdServer } from '@locks/testkit'

export { chance, cleanup, median, open, queued, settled, unhandledRejections, until } from '@locks/testkit/fixtures'

/** All that a server has: nothing, once everybody has left. */
export async function leftAt(server: EtcdServer): Promise<string[]> {
  return [...(await server.keys()), ...(await server.leases())]
}

/** How clients reach a cluster, of which they are told these members. */
export const urlOf = (...ports: readonly number[]): string =>
  `etcd://${ports.map((port) => `127.0.0.1:${port}`).join()}`

/** Locks of all these names, a few at a time. */
export async function takeAll(locks: LockManager, names: readonly string[]): Promise<Lock[]> {
  const taken: Lock[] = []
  while (taken.length < names.length) {
    const some = names.slice(taken.length, taken.length + 100)
    taken.push(...(await Promise.all(some.map((name) => locks.acquire(name)))))
  }
  return taken
}
