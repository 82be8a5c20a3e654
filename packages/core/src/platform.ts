import type { LockError } from './errors.ts'

/**
 * The error that the Web Locks standard has in the place of a `LockError`: a plain `TypeError` or `DOMException`,
 * with the `LockError` as its cause. Anything else stays what it is.
 */
export function platformError(error: LockError): Error {
  const { message } = error
  if (error.code === 'INVALID_ARGUMENT') return new TypeError(message, { cause: error })
  if (error.code === 'UNSUPPORTED') return new DOMException(message, { name: 'NotSupportedError', cause: error })
  if (error.reason === 'stolen') return new DOMException(message, { name: 'AbortError', cause: error })
  return error
}
