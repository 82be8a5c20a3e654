import { LockError, unsentBecause, unsupported } from '@locks/core/backend'

/** What a server answers in place of a result. */
export const code = {
  unimplemented: -6,
  noNode: -101,
  noAuth: -102,
  badVersion: -103,
  nodeExists: -110,
  notEmpty: -111,
  sessionExpired: -112,
  invalidAcl: -114,
  authFailed: -115,
  sessionMoved: -118,
  quotaExceeded: -125,
  throttled: -127,
} as const

/** A server's refusal of one operation, which has done nothing. Whoever asked may have expected it. */
export class Refusal extends Error {
  readonly code: number

  constructor(refused: number) {
    super(`ZooKeeper refuses (${refused})`)
    this.code = refused
  }
}

export const isRefusal = (error: unknown, ...codes: readonly number[]): boolean =>
  error instanceof Refusal && codes.includes(error.code)

/** A promise's outcome, or `otherwise` where it is refused with one of these codes. */
export async function unless<T, E>(answer: Promise<T>, otherwise: E, ...codes: readonly number[]): Promise<T | E> {
  try {
    return await answer
  } catch (error) {
    if (isRefusal(error, ...codes)) return otherwise
    throw error
  }
}

/** A failure as callers may be told of it. */
export function failureOf(thrown: unknown): LockError {
  const known = LockError.find(thrown)
  if (known) return known
  if (!(thrown instanceof Refusal)) return unknown('the ZooKeeper client failed')
  switch (thrown.code) {
    case code.noAuth:
      return refused(
        'the ZooKeeper user may not do this under the root; the README of @locks/zookeeper says what it needs',
      )
    case code.invalidAcl:
      return refused(
        'the ZooKeeper server takes nobody for the creator of a node: acl=creator needs a user and a password',
      )
    case code.authFailed:
      return refused('the ZooKeeper server does not accept this user and password')
    case code.unimplemented:
      return unsupported('the ZooKeeper server is too old; 3.6 or newer is needed')
    case code.quotaExceeded:
      return unavailable('the ZooKeeper server refuses: a quota is used up')
    case code.throttled:
      return unavailable('the ZooKeeper server refuses: it is overloaded')
    case code.sessionExpired:
    case code.sessionMoved:
      return unavailable('the ZooKeeper server does not serve this session any more')
    default:
      return unknown(`the ZooKeeper server failed (${thrown.code})`)
  }
}

/** Of a socket's error nothing is passed on but its code. */
export function disconnection(error: unknown): LockError {
  const { code: why } = (error ?? {}) as { code?: unknown }
  const unsent = unsentBecause(why)
  if (unsent) return unavailable(`no ZooKeeper server can be reached: ${unsent}`)
  return unknown('the connection to the ZooKeeper server failed before the answer came')
}

export const unknown = (message: string): LockError => new LockError('OUTCOME_UNKNOWN', message)
export const unavailable = (message: string): LockError => new LockError('UNAVAILABLE', message)
/** Nothing that asking again would change. */
const refused = (message: string): LockError => new LockError('UNAVAILABLE', message, { temporary: false })
