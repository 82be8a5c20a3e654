import { optionsFromQuery } from '../checks.ts'
import type { Capabilities } from '../capabilities.ts'
import type { Backend } from '../contract.ts'
import type { Adapter } from '../open.ts'
import { splitUrl } from '../urls.ts'
import { MemorySession } from './session.ts'
import { MemoryStore } from './store.ts'

const capabilities: Capabilities = {
  scope: 'process',
  fencing: 'volatile',
  raises: true,
  order: 'fifo',
  shared: true,
  semaphore: true,
  steal: true,
  sets: 'atomic',
  elections: true,
  listing: 'complete',
  reconnects: true,
  ttl: { min: 1_000, max: 86_400_000 },
  takeover: 500,
}

/** A backend in the memory of one thread, on a store of its own: the reference for all others, and a double for tests. */
export function memory(): Backend {
  return backendOn(new Map())
}

/** `memory:` is one store for the whole thread, `memory:anything` another. */
export const adapter: Adapter = {
  schemes: ['memory'],
  fromUrl(url) {
    const { rest, query } = splitUrl(url)
    optionsFromQuery(query, {})
    const found = stores.get(rest) ?? new Map<string, MemoryStore>()
    stores.set(rest, found)
    return backendOn(found)
  },
}

// On the global object: two copies of this package in one thread must exclude each other.
const key = Symbol.for('@locks/core.memory.1')
const shared = globalThis as { [key]?: Map<string, Map<string, MemoryStore>> }
const stores = (shared[key] ??= new Map())

function backendOn(namespaces: Map<string, MemoryStore>): Backend {
  return {
    name: 'memory',
    capabilities,
    open(options) {
      const store = namespaces.get(options.namespace) ?? new MemoryStore()
      namespaces.set(options.namespace, store)
      return Promise.resolve(new MemorySession(store, options))
    },
  }
}
