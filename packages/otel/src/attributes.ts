import { LockError, type Attempt } from '@locks/core'
import type { Attributes } from '@opentelemetry/api'
import type { NameFor } from './config.ts'
import { namesOf } from './names.ts'

/** What every metric says of a lock: few values each. */
export function metricAttributes(attempt: Attempt, nameFor: NameFor | undefined): Attributes {
  const names = namesOf(attempt, 'metric', nameFor)
  return {
    'locks.backend': attempt.backend,
    'locks.mode': attempt.mode,
    // Of several there would be as many values as there are combinations.
    ...(names.length === 1 && { 'locks.name': names[0] }),
  }
}

export function spanAttributes(attempt: Attempt, nameFor: NameFor | undefined): Attributes {
  const { backend, mode, namespace, permits, weight } = attempt
  const names = namesOf(attempt, 'span', nameFor)
  return {
    'locks.backend': backend,
    'locks.mode': mode,
    'locks.namespace': namespace,
    ...(permits !== undefined && { 'locks.permits': permits }),
    ...(weight !== undefined && { 'locks.weight': weight }),
    ...(names.length === 1 && { 'locks.name': names[0] }),
    ...(names.length > 1 && { 'locks.names': names }),
  }
}

/**
 * What a call has failed with, as `error.type`: the code of a `LockError`, else the name of the standard's error for an
 * aborted wait, which is the only other thing that calls fail with. A reason of the caller's own is not looked at.
 */
export function errorType(error: unknown): string {
  const own = LockError.find(error)
  if (own) return own.code
  return error instanceof DOMException && error.name === 'TimeoutError' ? 'TimeoutError' : 'AbortError'
}
