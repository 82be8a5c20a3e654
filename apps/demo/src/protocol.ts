/** What the main program and its workers tell each other. */

/** Where the workers' lock is kept. */
export interface Locking {
  readonly url: string
  readonly namespace: string
  readonly ttl: number
}

/** A worker's orders: its first message. */
export interface Task {
  readonly seller: string
  /** The folder of the stock. */
  readonly stock: string
  /** Whether the stock checks tokens. */
  readonly fenced: boolean
  /** Absent: it sells without a lock. */
  readonly locking?: Locking | undefined
  readonly sales: number
  /** Milliseconds between reading the stock and writing it. */
  readonly think: number
  /** It stands still between the two, instead of thinking, until this file is there. */
  readonly standsStillUntil?: string | undefined
  /** A process that may be stopped, and could not end by itself if the main program were gone. */
  readonly guards?: number | undefined
}

/** The second message, when all are ready. */
export type Go = 'go'

export type Report =
  | { readonly is: 'ready' }
  /** Its request for the lock was queued behind somebody. */
  | { readonly is: 'waiting' }
  /** It has read the stock and has not written yet. */
  | { readonly is: 'inside'; readonly token: bigint; readonly left: number }
  /** What `lock.held` said in the first line after standing still. */
  | { readonly is: 'awake'; readonly held: boolean }
  | { readonly is: 'sold'; readonly unit: number }
  /** The stock refused its write. */
  | { readonly is: 'refused'; readonly why: string }
  | { readonly is: 'done' }
  | { readonly is: 'failed'; readonly why: string }
