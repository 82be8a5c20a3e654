/** What a member of a crowd can be asked. */
export interface MemberVerbs {
  hold(name: string): Promise<void>
  /** The moment before it lets go. */
  release(): Promise<number>
  /** Resolves once so many have asked for it. Each gives it back as soon as it has it. */
  wait(name: string, waiters: number): Promise<void>
  /** How many wait at the store, where that can be asked. */
  waiting(name: string): Promise<number | undefined>
  /** What has been had, once all have, or so many ms later. */
  turns(patience: number): Promise<readonly Turn[]>
  /** Of a raw driver: hears so many words on one channel, and passes so many of them on to the other. */
  relay(relay: RelaySpec): Promise<void>
  /** Passes the first word, to this channel; the moment before. */
  begin(channel: string): Promise<number>
  /** Holds locks of so many names, 64 at a time. */
  holdAll(names: number): Promise<void>
  usage(): Promise<Usage>
}

interface RelaySpec {
  readonly heard: string
  readonly words: number
  readonly passed: string
  readonly passes: number
}

/** Moments on the machine's clock, ms: when it was granted, and when it was given back. */
export type Turn = readonly [granted: number, released: number]

export interface Usage {
  /** Bytes, after a collection. */
  readonly heap: number
  /** Microseconds of processor so far. */
  readonly cpu: number
  /** How often all that is held has been renewed, as far as it is told. */
  readonly renewals: number
}

/** Who a member is. */
export interface MemberSpec {
  readonly backend: string
  readonly subject: string
  readonly url: string
  readonly ttl: number
}

/** Milliseconds on a clock that all processes of the machine share. */
export const machineTime = (): number => Number(process.hrtime.bigint()) / 1e6
