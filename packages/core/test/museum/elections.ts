import type { Entry } from '@locks/core/backend'
import { altered, type Piece } from './boundary.ts'

export const elections: readonly Piece[] = [
  {
    defect: 'forgets the value of a claim that has to wait',
    caughtBy: 'elections/one-leader',
    store: (backend) =>
      altered(backend, (session) => ({
        async acquire(request) {
          const { value: _, ...plain } = request
          const there = await session.query(request.names[0])
          return session.acquire(there.length > 0 ? plain : request)
        },
      })),
  },
  {
    defect: 'never tells that the leader has changed: whoever observes has to look again',
    seenIn: 'node-redlock, redis-semaphore and others, on which elections are built by asking again',
    caughtBy: 'observations/notified',
    store: (backend) => altered(backend, () => ({ watch: () => Promise.resolve(() => {}) })),
  },
  {
    defect: 'tells of those who come to lead, and not of those who leave',
    caughtBy: 'observations/notified',
    store: (backend) =>
      altered(backend, (session) => ({
        watch: async (name, changed) =>
          (await session.watch?.(name, () => {
            const told = session.query(name).then((entries) => entries.some(({ holds }) => holds) && changed())
            told.catch(() => {})
          })) ?? (() => {}),
      })),
  },
  {
    defect: 'shows whoever campaigns as leader, also while another leads',
    caughtBy: 'elections/plain-lock',
    store: (backend) =>
      altered(backend, (session) => ({
        query: async (name) =>
          (await session.query(name)).map((entry) => (entry.value === undefined ? entry : { ...entry, holds: true })),
      })),
  },
  {
    defect: 'ends the watch of all when one ends',
    caughtBy: 'observations/several',
    store: (backend) =>
      altered(backend, (session) => {
        let deaf = new Set<string>()
        return {
          async watch(name, changed) {
            const unwatch = (await session.watch?.(name, () => deaf.has(name) || changed())) ?? (() => {})
            return () => {
              deaf = deaf.add(name)
              unwatch()
            }
          },
        }
      }),
  },
  {
    defect: 'asks whichever replica is nearest: an answer may be older than the one before',
    seenIn: 'Consul reads with `?stale`',
    caughtBy: 'observations/changes',
    store: (backend) =>
      altered(backend, (session) => {
        const answers = new Map<string | undefined, (readonly Entry[])[]>()
        let asked = 0
        return {
          async query(name) {
            const fresh = await session.query(name)
            const [last = fresh, before = fresh] = answers.get(name) ?? []
            answers.set(name, [fresh, last])
            return ++asked % 3 === 0 ? before : fresh
          },
        }
      }),
  },
  {
    defect: 'changes a value that is not plain ASCII',
    caughtBy: 'elections/value',
    store: (backend) =>
      altered(backend, (session) => ({
        acquire: (request) =>
          session.acquire({ ...request, value: request.value && Buffer.from(request.value, 'latin1').toString() }),
      })),
  },
]
