import type { Lock, LockManager, ManagerOptions } from '@locks/core'
import type { Bundle, Locker, Place, Release, Subject } from './subject.ts'

interface Ours {
  readonly settings: string
  readonly bundle: Bundle
  readonly cannot?: Subject['cannot']
  /** Options that the URL ends with. */
  readonly query?: string
}

export const oursName = '@locks'
export const localName = '@locks, handover: local'

/** This product on one backend, as it is, and with waiters of one process that hand over among themselves. */
export function ours({ settings, bundle, cannot = {}, query = '' }: Ours): readonly Subject[] {
  const common = { kind: 'ours', bundle, cannot } as const
  const open =
    (options: ManagerOptions, tells: boolean) =>
    async ({ url, ttl }: Place) => {
      const { openLocks } = await import('@locks/core')
      return locker(await openLocks(`${url}${query}`, { ttl, ...options }), tells)
    }
  return [
    { ...common, name: oursName, settings, open: open({}, true) },
    {
      ...common,
      name: localName,
      settings: `${settings}; handover: 'local'`,
      handoffOnly: true,
      open: open({ handover: 'local' }, false),
    },
  ]
}

/** `tells`: whether all who wait stand in the store's queue. */
function locker(locks: LockManager, tells: boolean): Locker {
  return {
    acquire: async (name) => releaseOf(await locks.acquire(name)),
    async tryAcquire(name) {
      const lock = await locks.tryAcquire(name)
      return lock && releaseOf(lock)
    },
    acquireShared: async (name) => releaseOf(await locks.acquire(name, { mode: 'shared' })),
    acquirePermit: async (name, permits) => releaseOf(await locks.acquire(name, { permits })),
    ...(tells && { waiting: async (name: string) => (await locks.query(name)).pending.length }),
    close: () => locks.close(),
  }
}

function releaseOf(lock: Lock): Release {
  return async () => {
    if ((await lock.release()) !== 'released') throw new Error('a lock was lost')
  }
}
