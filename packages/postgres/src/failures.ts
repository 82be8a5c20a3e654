import { LockError, unsentBecause } from '@locks/core/backend'

/** SQLSTATE classes, or whole codes, with which the server has undone the statement, and the same may work later. */
const passing: Readonly<Record<string, string>> = {
  '40': 'the transaction was undone',
  '53200': 'it has no room for more locks (max_locks_per_transaction)',
  '53300': 'it has too many connections',
  '53': 'it lacks resources',
  '55': 'what is needed is in use',
  '57014': 'the statement took too long',
  '57P01': 'it ended the connection',
  '57P02': 'it is recovering from a crash',
  '57P03': 'it is starting up or shutting down',
  '57P05': 'the connection was idle for the ttl',
  '57': 'it was told to stop',
  '58': 'its machine fails',
  '08': 'the connection failed',
}

/** Where asking again is no use. */
const lasting: Readonly<Record<string, string>> = {
  '28': 'it does not let this user in; are user and password right, and does its pg_hba.conf allow it?',
  '3D000': 'it has no database of this name; create it, or name another one',
  '25006': 'it takes no writes (default_transaction_read_only, or a standby)',
  '42501': 'the role lacks a privilege; the README of @locks/postgres lists what it needs',
  '3F000': 'the schema is gone',
  '42P01': 'a table is gone; run the script of @locks/postgres again',
  '42883': 'a function is gone; run the script of @locks/postgres again',
}

/** Codes of Node's errors about a certificate: OpenSSL's of its verification, and Node's own of its name. */
const certificate = /CERT|SIGNATURE|^(?:HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_EXCEEDED)$/

/**
 * A failure as callers may be told of it: never the driver's own error, whose text and details hold what a statement was
 * given, and with it owner secrets.
 */
export function failureOf(thrown: unknown): LockError {
  const known = LockError.find(thrown)
  if (known) return known
  const { code, message, severity } = thrown as { code?: unknown; message?: unknown; severity?: unknown }
  if (typeof code === 'string' && severity !== undefined) return refusal(code)
  const text = String(message)
  const unsent = unsentBecause(code)
  if (unsent) return unavailable(`the Postgres server cannot be reached: ${unsent}`)
  if (typeof code === 'string') {
    if (certificate.test(code)) return refused(`the certificate of the Postgres server is not trusted (${code})`)
    if (code === 'ENOENT' || code === 'EACCES') return refused(`a file for TLS, or a socket, cannot be read (${code})`)
  }
  if (text.includes('does not support SSL'))
    return refused('the Postgres server has no TLS; sslmode=disable does without')
  if (/SASL|password must be/i.test(text)) return refused('the Postgres server wants a password, or another one')
  if (/timeout expired/.test(text))
    return unavailable('the Postgres server did not answer; is there one at this address?')
  return unknown('the connection to the Postgres server failed before the answer came')
}

/** Whether the server itself has refused a statement, and with that undone it: all but the advisory locks. */
export function isUndone(thrown: unknown): boolean {
  const { code, severity } = thrown as { code?: unknown; severity?: unknown }
  return typeof code === 'string' && severity === 'ERROR'
}

function refusal(code: string): LockError {
  const of = (texts: Readonly<Record<string, string>>) => texts[code] ?? texts[code.slice(0, 2)]
  const never = of(lasting)
  if (never) return refused(`the Postgres server refuses: ${never} (SQLSTATE ${code})`)
  const soon = of(passing)
  if (soon) return unavailable(`the Postgres server refuses: ${soon} (SQLSTATE ${code})`)
  return new LockError('OUTCOME_UNKNOWN', `the Postgres server failed (SQLSTATE ${code})`, { temporary: false })
}

export const unknown = (message: string): LockError => new LockError('OUTCOME_UNKNOWN', message)
export const unavailable = (message: string): LockError => new LockError('UNAVAILABLE', message)
/** Nothing that asking again would change. */
export const refused = (message: string): LockError => new LockError('UNAVAILABLE', message, { temporary: false })
