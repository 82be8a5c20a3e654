import { LockError } from '@locks/core/backend'

/**
 * What a failure of SQLite means: `busy`, another connection is writing and the same will work soon; `failed`,
 * nothing was applied and the database is still there; `broken`, this connection has no database any more.
 */
export type Severity = 'busy' | 'failed' | 'broken'

/** SQLite's primary result codes. */
export const codes = {
  busy: 5,
  locked: 6,
  noMemory: 7,
  interrupt: 9,
  io: 10,
  corrupt: 11,
  full: 13,
  cannotOpen: 14,
  protocol: 15,
  notADatabase: 26,
} as const

const severities = new Map<number, Severity>([
  [codes.busy, 'busy'],
  [codes.locked, 'busy'],
  // A race for the locks on the log.
  [codes.protocol, 'busy'],
  [codes.noMemory, 'failed'],
  [codes.interrupt, 'failed'],
  [codes.full, 'failed'],
  [codes.cannotOpen, 'failed'],
])

/** A failure as callers may be told of it: with SQLite's fixed text for it, never with the driver's error. */
export class DatabaseFailure extends Error {
  readonly severity: Severity
  readonly error: LockError
  readonly code: number | undefined

  constructor(severity: Severity, error: LockError, code?: number) {
    super(error.message)
    this.severity = severity
    this.error = error
    this.code = code
  }
}

/** `committing`: whether it was the commit that failed, which may have reached the disk. */
export function failureOf(thrown: unknown, committing = false): DatabaseFailure {
  if (thrown instanceof DatabaseFailure) return thrown
  const { name, errcode, errstr } = thrown as { name?: unknown; errcode?: unknown; errstr?: unknown }
  if (typeof errcode !== 'number') {
    const message = `the adapter failed unexpectedly (${String(name)})`
    return new DatabaseFailure('broken', new LockError('UNAVAILABLE', message))
  }
  const code = errcode & 0xff
  const unknown = committing && code === codes.io
  const message = `the database failed: ${String(errstr)} (SQLite ${errcode})`
  const error = new LockError(unknown ? 'OUTCOME_UNKNOWN' : 'UNAVAILABLE', message)
  return new DatabaseFailure(severities.get(code) ?? 'broken', error, code)
}
