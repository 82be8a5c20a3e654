import type { Requirements } from '../capabilities.ts'

/**
 * What each backend of this project may declare absent, and nothing else: a weaker promise than before is a change
 * that has to be made here, where it is seen. Its tests compare.
 */
export const declaredAbsent = {
  memory: { scope: 'process', fencing: 'volatile' },
  quorum: {
    scope: 'process',
    fencing: 'volatile',
    order: 'none',
    semaphore: false,
    steal: false,
    sets: 'ordered',
    listing: 'none',
  },
  sqlite: { scope: 'machine' },
  redis: { sets: 'ordered' },
  'redis-sentinel': { sets: 'ordered', fencing: 'volatile' },
  'redis-cluster': { sets: 'ordered', fencing: 'volatile' },
  postgres: { sets: 'ordered', steal: false, reconnects: false },
  etcd: { sets: 'ordered' },
  'etcd-3': { sets: 'ordered' },
  zookeeper: { sets: 'ordered' },
  'zookeeper-3': { sets: 'ordered' },
  'postgres-reduced': {
    fencing: 'none',
    order: 'none',
    shared: false,
    semaphore: false,
    steal: false,
    sets: 'ordered',
    elections: false,
    listing: 'none',
    reconnects: false,
  },
} as const satisfies Record<string, Requirements>
