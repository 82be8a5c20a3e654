/** In the order in which the report has them. */
export const backendNames = ['memory', 'sqlite', 'redis', 'etcd', 'zookeeper', 'postgres'] as const
export type BackendName = (typeof backendNames)[number]

export const workloadNames = [
  'uncontended',
  'many-names',
  'try-held',
  'slow-network',
  'handoff',
  'readers',
  'semaphore',
  'names',
  'held',
  'recovery',
  'start',
  'size',
] as const
export type WorkloadName = (typeof workloadNames)[number]
