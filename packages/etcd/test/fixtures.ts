import type { EtcdServer } from '@locks/testkit'

export { chance, cleanup, median, open, queued, settled, unhandledRejections, until } from '@locks/testkit/fixtures'

/** All that a server has: nothing, once everybody has left. */
export async function leftAt(server: EtcdServer): Promise<string[]> {
  return [...(await server.keys()), ...(await server.leases())]
}

/** How clients reach a cluster, of which they are told these members. */
export const urlOf = (...ports: readonly number[]): string =>
  `etcd://${ports.map((port) => `127.0.0.1:${port}`).join()}`
