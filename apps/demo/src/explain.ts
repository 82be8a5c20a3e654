import { LockError } from '@locks/core'

/** An error as a user wants it: what is wrong, and the code to look it up by. */
export function explain(error: unknown): string {
  const found = LockError.find(error)
  if (found) return `${found.message} (${found.code})`
  return error instanceof Error ? error.message : String(error)
}
