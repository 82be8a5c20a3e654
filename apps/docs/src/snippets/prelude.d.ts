/** What the examples in the documents take for granted: an application with a database, clients and locks. */
import type * as core from '@locks/core'
import type * as locksOnPostgres from '@locks/postgres'
import type * as locksOnRedis from '@locks/redis'
import type * as locksOnSqlite from '@locks/sqlite'
import type { Redis } from 'ioredis'
import type { Pool, PoolClient } from 'pg'

declare global {
  const locks: core.LockManager
  const lock: core.Lock
  const signal: AbortSignal
  const openLocks: typeof core.openLocks
  const LockManager: typeof core.LockManager
  const LockError: typeof core.LockError
  const admit: typeof core.admit
  const redis: typeof locksOnRedis.redis
  const sqlite: typeof locksOnSqlite.sqlite
  const postgres: typeof locksOnPostgres.postgres

  interface Order {
    readonly total: number
  }
  const db: {
    read(id: number): Promise<Order>
    write(id: number, order: Order, options: { fence: bigint }): Promise<void>
  }
  const row: Order
  function change<T>(value: T): NonNullable<T>
  function save(row: Order, token?: bigint): Promise<void>
  function write(...what: unknown[]): Promise<void>
  function read(...where: unknown[]): Promise<Order>
  function transfer(from: bigint | undefined, to: bigint | undefined): Promise<void>
  function route(value: string | undefined): void
  function schedule(token: bigint): Promise<void>
  function reckon(left: number): Promise<number>
  const stock: { readonly left: number; sell(price: number): void }
  const file: {
    read(): Promise<{ version: number; seen: core.Seen; data: Order }>
    replace(version: number, next: { seen: core.Seen; data: Order }): Promise<boolean>
  }

  const pool: Pool
  function inTransaction(pool: Pool, work: (client: PoolClient) => Promise<void>): Promise<void>
  const client: Redis
  const revision: string
  const text: string
}
