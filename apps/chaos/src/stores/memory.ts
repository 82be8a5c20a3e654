import { LockManager } from '@locks/core'
import { memory as backendInMemory } from '@locks/core/memory'
import type { Backend } from '@locks/core/backend'
import { wired } from '@locks/core/conformance'
import { lineFaults } from '../nemesis/lines.ts'
import { namespace } from '../names.ts'
import type { Store } from './store.ts'

interface Defects {
  /** On the store's side of the line. */
  readonly store?: (backend: Backend) => Backend
  /** On the client's side. */
  readonly adapter?: (backend: Backend) => Backend
}

const whole = (backend: Backend): Backend => backend

/** A store in this process, and its clients too; what is between them fails at the boundary of the sessions. */
export function inMemory(name = 'memory', { store = whole, adapter = whole }: Defects = {}): Store {
  return {
    name,
    ttl: 1_000,
    start() {
      const backend = store(backendInMemory())
      return Promise.resolve({
        way: { url: 'chaos:' },
        local: {
          client() {
            const { backend: own, wire } = wired(backend)
            return { adapter: { schemes: ['chaos'], fromUrl: () => adapter(own) }, line: { wire } }
          },
        },
        faults: lineFaults({ network: false, breaks: false }),
        async left() {
          const locks = new LockManager(backend, { namespace })
          const { held, pending } = await locks.query()
          await locks.close()
          return [...held, ...pending].map(({ name, owner }) => `${name} of ${owner}`)
        },
        end: async () => {},
      })
    },
  }
}
