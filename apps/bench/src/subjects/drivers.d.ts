/** What these packages bring no types of, or none that their `exports` show. */
declare module 'node-zookeeper-client' {
  const driver: unknown
  export default driver
}

declare module 'redlock' {
  import type { EventEmitter } from 'node:events'
  import type { Redis } from 'ioredis'

  interface Lock {
    release(): Promise<unknown>
  }

  export class ExecutionError extends Error {}

  export default class Redlock extends EventEmitter {
    constructor(clients: Iterable<Redis>, settings: { retryCount: number })
    acquire(resources: string[], duration: number): Promise<Lock>
    using<T>(resources: string[], duration: number, routine: () => Promise<T>): Promise<T>
  }
}
