import type { ErrorCode, LossReason } from '../errors.ts'

/** What a child process can be told to do; locks are known by the number under which they were acquired. */
export interface Orders {
  open: (options: {
    url: string
    adapter: string
    ttl: number
    namespace: string
    handover?: 'store' | 'local' | undefined
  }) => void
  acquire: (name: string, options: WireOptions) => { lock: number; token: string }
  tryAcquire: (name: string, options: WireOptions) => { lock: number; token: string } | null
  campaign: (name: string, value: string) => { lock: number; token: string }
  held: (lock: number) => boolean
  /** Why `assertHeld` throws; null if it does not. */
  assertHeld: (lock: number) => { code: ErrorCode; reason: LossReason | null } | null
  release: (lock: number) => 'released' | 'lost'
  /** Blocks the event loop, then reads `held` in the very next line. */
  stall: (lock: number, ms: number) => boolean
  /** Acquires so many times, holding a file that only one at a time can create; how many met another inside. */
  contend: (name: string, file: string, times: number) => number
  close: () => void
  /** Closes, and has nothing left then that would keep the process alive. */
  leave: () => void
}

export interface WireOptions {
  readonly mode?: 'exclusive' | 'shared'
  readonly permits?: number
  readonly weight?: number
  readonly timeout?: number
  readonly steal?: boolean
}

export interface Order {
  readonly id: number
  readonly verb: keyof Orders
  readonly args: readonly unknown[]
}

export interface Reply {
  readonly id: number
  readonly result?: unknown
  readonly error?: string
}
