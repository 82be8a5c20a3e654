import { channel } from 'node:diagnostics_channel'
import type { LockError, LossReason } from './errors.ts'
import type { Mode } from './queue.ts'

/** One call for a lock. The same object in every message about it, so that a subscriber can keep its own notes by it. */
export interface Attempt {
  readonly names: readonly string[]
  readonly mode: Mode
  readonly permits?: number | undefined
  readonly weight?: number | undefined
  readonly backend: string
  readonly namespace: string
  readonly clientId: string
}

/**
 * What core publishes on `node:diagnostics_channel`, by channel name. Nothing is built for a channel without a
 * subscriber. Times are milliseconds. `locks:request` is published in the caller's asynchronous context.
 */
export interface LockEvents {
  'locks:request': { attempt: Attempt }
  'locks:queued': { attempt: Attempt }
  /** `turn`: how many callers of the same manager have had the lock before, by the same grant of the store. */
  'locks:granted': { attempt: Attempt; tokens: readonly bigint[]; waited: number; turn: number }
  'locks:refused': { attempt: Attempt; waited: number }
  'locks:failed': { attempt: Attempt; waited: number; error: unknown }
  'locks:released': { attempt: Attempt; tokens: readonly bigint[]; held: number }
  'locks:lost': { attempt: Attempt; tokens: readonly bigint[]; held: number; reason: LossReason }
  /** Half the ttl has gone by without a proof that the store keeps the lock. */
  'locks:at-risk': { attempt: Attempt; tokens: readonly bigint[]; expiresAt: number }
  'locks:renewed': { backend: string; clientId: string; claims: number; took: number; error?: LockError }
  'locks:session': { backend: string; clientId: string; state: 'opened' | 'ended'; error?: LockError }
  /** A node of a quorum, counted from 1, has stopped answering or answers again. */
  'locks:node': { clientId: string; node: number; nodes: number; state: 'silent' | 'answers' }
  'locks:warning': Warning
}

export interface Warning {
  readonly code: string
  readonly message: string
}

/** How a part of core tells what happens. */
export type Publish = typeof publish

/** Publishes a message if anybody listens. */
export function publish<K extends keyof LockEvents>(name: K, message: () => LockEvents[K]): void {
  const target = channels[name]
  if (target.hasSubscribers) target.publish(message())
}

/** A warning goes to its channel, or to the process where nobody listens there. */
export function warn(code: string, message: string): void {
  if (channels['locks:warning'].hasSubscribers) publish('locks:warning', () => ({ code, message }))
  else process.emitWarning(message, { type: 'LocksWarning', code })
}

// Looked up once: a lookup by name costs more than asking whether anybody listens.
const channels = {
  'locks:request': channel('locks:request'),
  'locks:queued': channel('locks:queued'),
  'locks:granted': channel('locks:granted'),
  'locks:refused': channel('locks:refused'),
  'locks:failed': channel('locks:failed'),
  'locks:released': channel('locks:released'),
  'locks:lost': channel('locks:lost'),
  'locks:at-risk': channel('locks:at-risk'),
  'locks:renewed': channel('locks:renewed'),
  'locks:session': channel('locks:session'),
  'locks:node': channel('locks:node'),
  'locks:warning': channel('locks:warning'),
} satisfies Record<keyof LockEvents, unknown>
