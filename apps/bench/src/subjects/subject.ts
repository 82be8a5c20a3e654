import type { Kind } from '../result.ts'

/** What a workload asks of a subject beyond locking and unlocking. */
export type Need = 'try' | 'wait' | 'crowd' | 'multitude' | 'processes' | 'shared' | 'permits' | 'hold' | 'crash'

/** Somebody who locks on one backend: ours, the raw driver, or another library. */
export interface Subject {
  readonly name: string
  readonly kind: Kind
  /** How it is set up, in words. */
  readonly settings: string
  /** Looks again and again while it waits. */
  readonly polls?: boolean
  /** Only for the handing over between waiters. */
  readonly handoffOnly?: boolean
  readonly cannot?: Readonly<Partial<Record<Need, string>>>
  /** A module with everything of it that an application takes, and what stays outside of a bundle. */
  readonly bundle?: Bundle
  open(place: Place): Promise<Locker>
}

export interface Bundle {
  readonly packages: readonly string[]
  /** The driver, which the application has anyway. */
  readonly external: readonly string[]
}

export interface Place {
  readonly url: string
  readonly ttl: number
  /** Whether many calls leave at once, which drivers want to be told. */
  readonly together?: boolean
}

export type Release = () => Promise<unknown>

/** One client of a store. */
export interface Locker {
  acquire(name: string): Promise<Release>
  tryAcquire?(name: string): Promise<Release | null>
  acquireShared?(name: string): Promise<Release>
  acquirePermit?(name: string, permits: number): Promise<Release>
  /** As {@link acquire}, and kept alive by itself for as long as it is held, where that is another call. */
  hold?(name: string): Promise<Release>
  /** How many wait at the store, where it can be asked. */
  waiting?(name: string): Promise<number>
  /** Of the raw driver: the least that tells another process something. */
  relay?(): Promise<Relay>
  close(): Promise<void>
}

/** One word from process to process. */
export interface Relay {
  /** Hears each word on the channel, after the one write that a store needs for a grant. */
  listen(channel: string, heard: () => void): Promise<void>
  pass(channel: string): void
}
