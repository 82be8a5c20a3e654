/**
 * What went wrong, for programs. Codes are stable; messages are not.
 *
 * | code | it means | |
 * |---|---|---|
 * | `TIMEOUT` | the wait ended before the lock was granted | temporary |
 * | `LOST` | the lock was held and is no longer; see {@link LockError.reason} | temporary |
 * | `RELEASED` | the lock was used after its own release | |
 * | `UNAVAILABLE` | the store cannot be reached; nothing was applied | temporary |
 * | `OUTCOME_UNKNOWN` | an answer did not come; what it left behind is being removed | temporary |
 * | `UNSUPPORTED` | the backend, or the standard, has no such thing | |
 * | `INVALID_ARGUMENT` | the call is wrong; the message says what is allowed | |
 * | `CLOSED` | the manager was closed | |
 */
export type ErrorCode =
  | 'TIMEOUT'
  | 'LOST'
  | 'RELEASED'
  | 'UNAVAILABLE'
  | 'OUTCOME_UNKNOWN'
  | 'UNSUPPORTED'
  | 'INVALID_ARGUMENT'
  | 'CLOSED'

/**
 * Why a lock was lost: its deadline passed without a proof (`expired`), a thief took it (`stolen`), the store no
 * longer has it (`gone`), the session it stood on ended (`session`), or its manager was closed (`closed`). A guard says
 * of a token that a newer holder has been at its resource (`fenced`).
 */
export type LossReason = 'expired' | 'stolen' | 'gone' | 'session' | 'closed' | 'fenced'

export interface ErrorDetails {
  readonly cause?: unknown
  readonly temporary?: boolean
  readonly reason?: LossReason
}

const marker = Symbol.for('@locks/core.LockError')
const temporaryCodes: ReadonlySet<ErrorCode> = new Set(['TIMEOUT', 'LOST', 'UNAVAILABLE', 'OUTCOME_UNKNOWN'])

/** The one error class of all packages. It never carries a password, an owner secret or a driver's own error. */
export class LockError extends Error {
  readonly code: ErrorCode
  /** True when the same call may succeed later. */
  readonly temporary: boolean
  /** Set with `LOST`. */
  declare readonly reason?: LossReason
  /**
   * Set when `request` rejects because its lock was lost: settles as the callback does, which may still be
   * running, or may never end. It needs no handler.
   */
  declare callback?: Promise<unknown>

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.temporary = details.temporary ?? temporaryCodes.has(code)
    if (details.reason) this.reason = details.reason
    Object.defineProperty(this, marker, { value: true })
  }

  /** Finds the `LockError` in an error or in its causes, also one made by another copy of this package. */
  static find(error: unknown): LockError | undefined {
    for (let at = error, depth = 0; typeof at === 'object' && at !== null && depth < 8; depth++) {
      if (marker in at) return at as unknown as LockError
      at = (at as { cause?: unknown }).cause
    }
    return undefined
  }

  /** Whether an error is, or was caused by, a `LockError` (with this code, where one is named). */
  static is(error: unknown, code?: ErrorCode): boolean {
    const found = LockError.find(error)
    return found !== undefined && (code === undefined || found.code === code)
  }
}

// On the prototype, so that it does not show up as a property in every printed error.
Object.defineProperty(LockError.prototype, 'name', { value: 'LockError', configurable: true, writable: true })

/** A value as it may stand in a message: quoted, escaped, cut. */
export function shown(value: unknown): string {
  const text = typeof value === 'string' ? JSON.stringify(value) : describe(value)
  return text.length > 80 ? `${text.slice(0, 79)}…` : text
}

function describe(value: unknown): string {
  if (typeof value === 'function') return 'a function'
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'object' && value !== null) return 'an object'
  return String(value)
}

export const invalid = (message: string): LockError => new LockError('INVALID_ARGUMENT', message)
export const unsupported = (message: string): LockError => new LockError('UNSUPPORTED', message)
