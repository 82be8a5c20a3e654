import type { LockManager, ManagerOptions } from '@locks/core'
import type { ZookeeperServer } from '@locks/testkit'
import { cleanup, open as openOn, unhandledRejections, until } from '@locks/testkit/fixtures'
import { zookeeper } from '@locks/zookeeper'

export {
  canary,
  cleanup,
  handOver,
  median,
  queued,
  roundTripsOf,
  settled,
  Sightings,
  sitOut,
  startCrowd,
  until,
  withstand,
  type Fault,
} from '@locks/testkit/fixtures'

/** The module with the adapter, for other processes. */
export const adapterModule: string = new URL('../src/index.ts', import.meta.url).href

/** Of servers on this machine. */
export const urlOf = (...ports: readonly number[]): string =>
  `zookeeper://${ports.map((port) => `127.0.0.1:${port}`).join()}/locks`

/** A connected manager that is closed with the test. */
export function open(url: string, options: ManagerOptions = {}): Promise<LockManager> {
  return openOn(zookeeper({ url }), options)
}

/** Ends a fault, once: when the test asks for it, or when it is over. */
export function ending(end: () => Promise<void>): () => Promise<void> {
  let ended: Promise<void> | undefined
  const once = () => (ended ??= end())
  cleanup(once)
  return once
}

/** Waits until a server has nothing but its own nodes and the empty root; says what it has, if it never comes to that. */
export async function nothingIsLeftAt(server: ZookeeperServer): Promise<void> {
  const nothing = JSON.stringify({ sessions: 0, nodes: ownNodes + 1, ephemerals: 0, watches: 0 })
  let left = ''
  const isEmpty = async () => (left = JSON.stringify(await server.counts())) === nothing
  await until('nothing is left', isEmpty, 10_000).catch((error: unknown) => {
    throw new Error(`left: ${left}`, { cause: error })
  })
}

/** Of a server that has just been started. */
const ownNodes = 5

/** Rejections that nobody has handled in this test, and exceptions that would have ended the process. */
export function unhandled(): { readonly rejections: readonly unknown[]; readonly exceptions: readonly unknown[] } {
  const exceptions: unknown[] = []
  const note = (exception: unknown) => void exceptions.push(exception)
  process.on('uncaughtException', note)
  cleanup(() => process.off('uncaughtException', note))
  return { rejections: unhandledRejections(), exceptions }
}

export const nothing = { rejections: [], exceptions: [] }
