import { LockError, unsentBecause, unsupported } from '@locks/core/backend'

/** What the server answers when it has applied nothing and the same call may work later. */
const passing: Readonly<Record<string, string>> = {
  OOM: 'it has no memory left (maxmemory)',
  MISCONF: 'it cannot save to disk and refuses writes',
  READONLY: 'it is a replica',
  LOADING: 'it is loading its data',
  MASTERDOWN: 'it has lost its master',
  CLUSTERDOWN: 'the cluster is down',
  TRYAGAIN: 'a slot is being moved',
  MOVED: 'a slot has been moved',
  ASK: 'a slot is being moved',
  BUSY: 'it is busy with a script',
  NOREPLICAS: 'it has too few replicas (min-replicas-to-write)',
}

/** What it answers when asking again is no use. */
const lasting: Readonly<Record<string, string>> = {
  NOAUTH: 'it wants a password',
  WRONGPASS: 'it does not know this user and password',
  NOPROTO: 'it does not speak the protocol',
  WRONGTYPE: 'somebody else has a key there; choose another prefix',
}

/** Codes of Node's errors about a certificate: OpenSSL's of its verification, and Node's own of its name. */
const certificate = /CERT|SIGNATURE|^(?:HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_EXCEEDED)$/

/**
 * A failure as callers may be told of it: never the driver's own error, which carries the command's arguments and with
 * them passwords and owner secrets.
 */
export function failureOf(thrown: unknown): LockError {
  const known = LockError.find(thrown)
  if (known) return known
  const { name, message, code, lastNodeError } = thrown as Partial<
    Record<'name' | 'message' | 'code' | 'lastNodeError', unknown>
  >
  // Where none of a cluster's servers tells where its slots are: what the last one said.
  if (lastNodeError instanceof Error) return failureOf(lastNodeError)
  const text = String(message)
  if (name === 'ReplyError') return refusal(codeOf(thrown), text)
  const distrust = typeof code === 'string' ? untrusted(code) : undefined
  if (distrust) return distrust
  const unsent = unsentBecause(code)
  if (unsent) return unavailable(`the Redis server cannot be reached: ${unsent}`)
  if (/^All sentinels are unreachable.* unknown command/.test(text)) {
    return unsupported('what answers is no sentinel; use redis: for a single Redis server')
  }
  if (text.endsWith('enableOfflineQueue options is false')) return unavailable('the Redis server is not connected')
  return unknown('the connection to the Redis server failed before the answer came')
}

function untrusted(code: string): LockError | undefined {
  if (!certificate.test(code)) return undefined
  // What the server says of a certificate is about the client's.
  if (code.includes('ALERT')) {
    return refused(`the Redis server wants a certificate of the client's (${code}); use a client of your own`)
  }
  return refused(`the certificate of the Redis server is not trusted (${code}); name its authority to Node.js`)
}

/** The word with which the server's errors begin; before Redis 7, those of scripts stand inside of another. */
export function codeOf(thrown: unknown): string {
  const text = String((thrown as Error).message)
  return /^ERR Error running script.*?-([A-Z]+) /.exec(text)?.[1] ?? /^[A-Z]+/.exec(text)?.[0] ?? 'ERR'
}

function refusal(code: string, text: string): LockError {
  const soon = passing[code]
  if (soon) return unavailable(`the Redis server refuses: ${soon} (${code})`)
  const never = code === 'NOPERM' ? forbidden(text) : lasting[code]
  if (never) return refused(`the Redis server refuses: ${never} (${code})`)
  if (text.includes('cluster support disabled')) {
    return unsupported('the Redis server is no part of a cluster; use redis: for a single one')
  }
  if (text.includes('DB index')) return refused('the Redis server has no database of this number')
  return new LockError('OUTCOME_UNKNOWN', `the Redis server failed (${code})`, { temporary: code !== 'ERR' })
}

/** The name of a command is all that is taken from the server's own text. */
function forbidden(text: string): string {
  const command = /'([a-z|]+)' command/i.exec(text)?.[1]
  const what = command ? `run ${command.toUpperCase()}` : `use this ${/channel/i.test(text) ? 'channel' : 'key'}`
  return `the user may not ${what}; the README of @locks/redis lists what it needs`
}

export const unknown = (message: string): LockError => new LockError('OUTCOME_UNKNOWN', message)
export const unavailable = (message: string): LockError => new LockError('UNAVAILABLE', message)
/** Nothing that asking again would change. */
export const refused = (message: string): LockError => new LockError('UNAVAILABLE', message, { temporary: false })
