import type { Request } from '@locks/core/backend'

/** One for all places: there may be thousands that are held. */
export const nothing: readonly string[] = []

/** A claim of this session, and what is known of its node in the queue of its name. */
export class Place {
  readonly request: Request
  readonly name: string
  readonly mark: string
  /** The last part of its node's path; undefined where there is none, or none is known. */
  node: string | undefined
  /** Whether there may be a node that no answer has told of. */
  doubtful = false
  /** While its node is being made: settles when the answer has come, or cannot come any more. */
  making: Promise<unknown> | undefined
  /** The pending call that asks for it. */
  entering: Promise<'held' | 'queued' | 'refused'> | undefined
  /** One decision about it at a time: two confirmations would be two grants. */
  deciding: Promise<unknown> | undefined
  /** Once it is held. */
  token: bigint | undefined
  /** The version of the parent when it was granted: every thief raises it. */
  version = 0
  queued = false
  /** It is being removed. */
  unwanted = false
  watching = nothing

  constructor(request: Request, mark: string) {
    this.request = request
    this.name = request.names[0] ?? ''
    this.mark = mark
  }

  /** Whether it waits in a queue. */
  get waits(): boolean {
    return this.queued && this.token === undefined && !this.unwanted && this.node !== undefined
  }
}
