import { LockManager } from '@locks/core'
import { memory as backendInMemory } from '@locks/core/memory'
import type { Backend } from '@locks/core/backend'
import { wired } from '@locks/core/conformance'
import { lineFaults } from '../nemesis/lines.ts'
import { namespace } from '../names.ts'
import type { Store } from './store.ts'

/** A store in this process, and its clients too; what is between them fails at the boundary of the sessions. */
export function inMemory(
  name = 'memory',
  wrap: (backend: Backend) => Backend = (backend) => backend,
  ttl = 1_000,
): Store {
  return {
    name,
    ttl,
    start() {
      const backend = wrap(backendInMemory())
      return Promise.resolve({
        way: { url: 'chaos:' },
        local: {
          client() {
            const { backend: own, wire } = wired(backend)
            return { adapter: { schemes: ['chaos'], fromUrl: () => own }, line: { wire } }
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
