import type { Mutex, Semaphore } from 'async-mutex'
import { ours } from './ours.ts'
import type { Locker, Release, Subject } from './subject.ts'

const oneProcess = { processes: 'one process only', crash: 'goes with its process' } as const

const asyncMutex: Subject = {
  name: 'async-mutex',
  kind: 'peer',
  settings: 'a Mutex or a Semaphore for each name',
  cannot: { ...oneProcess, shared: 'has no shared mode', hold: 'holding costs nothing' },
  bundle: { packages: ['async-mutex'], external: [] },
  async open() {
    const module = await import('async-mutex')
    const mutexOf = kept(mutexes, () => new module.Mutex())
    return {
      acquire: async (name) => releaseOf(await mutexOf(name).acquire()),
      tryAcquire: async (name) => {
        const mutex = mutexOf(name)
        return mutex.isLocked() ? null : releaseOf(await mutex.acquire())
      },
      async acquirePermit(name, permits) {
        const [, release] = await kept(semaphores, () => new module.Semaphore(permits))(name).acquire()
        return releaseOf(release)
      },
      close: () => Promise.resolve(),
    }
  },
}

const mutexes = new Map<string, Mutex>()
const semaphores = new Map<string, Semaphore>()

const releaseOf = (release: () => void) => async () => release()

/** One for each name, made when it is first asked for. */
function kept<T>(map: Map<string, T>, make: () => T): (name: string) => T {
  return (name) => {
    const found = map.get(name) ?? make()
    map.set(name, found)
    return found
  }
}

const webLocks: Subject = {
  name: 'navigator.locks',
  kind: 'peer',
  settings: "Node's own Web Locks; the callback waits until it is told to end",
  cannot: { ...oneProcess, permits: 'has no semaphores', hold: 'holding costs nothing' },
  open: () => Promise.resolve(webLocker),
}

const webLocker: Locker = {
  acquire: async (name) => (await requested(name, {})) as Release,
  tryAcquire: (name) => requested(name, { ifAvailable: true }),
  acquireShared: async (name) => (await requested(name, { mode: 'shared' })) as Release,
  close: () => Promise.resolve(),
}

function requested(name: string, options: Parameters<typeof navigator.locks.request>[1]): Promise<Release | null> {
  return new Promise((resolve, reject) => {
    const ended: Promise<unknown> = navigator.locks.request(name, options, (lock: unknown) => {
      if (lock === null) return resolve(null)
      return new Promise<void>((end) => {
        resolve(() => {
          end()
          return ended
        })
      })
    })
    ended.catch(reject)
  })
}

export const subjects: readonly Subject[] = [
  ...ours({
    settings: 'memory:, which all managers of a process share',
    bundle: { packages: ['@locks/core', '@locks/core/memory'], external: [] },
    cannot: oneProcess,
  }),
  asyncMutex,
  ...('locks' in globalThis.navigator ? [webLocks] : []),
]
