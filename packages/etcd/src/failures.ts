import { LockError, unsentBecause } from '@locks/core/backend'

const full = 'its database is full (alarm NOSPACE): compact, defragment and disarm the alarm'

/** What the server says when it has applied nothing and the same call may work later. */
const passing: readonly (readonly [text: string, why: string])[] = [
  ['database space exceeded', full],
  ['no leader', 'the cluster has no leader'],
  ['not leader', 'the member is not the leader'],
  ['too many requests', 'it has too many requests'],
  ['revision of auth store is old', 'its users or roles have changed'],
  ['invalid auth token', 'its token has expired'],
  ['rpc not supported for learner', 'the member is a learner'],
]

/** What it says when asking again is no use. */
const lasting: readonly (readonly [text: string, why: string])[] = [
  ['permission denied', 'the user may not do this; the README of @locks/etcd lists what it needs'],
  ['invalid user ID or password', 'it does not know this user and password'],
  ['user name is empty', 'it wants a user and a password'],
  ['user name not found', 'it wants a user and a password'],
  ['authentication is not enabled', 'it has authentication off; leave user and password out of the URL'],
  ['data inconsistency', 'its data is corrupt (alarm CORRUPT)'],
  ['corrupt cluster', 'its data is corrupt (alarm CORRUPT)'],
]

/** A connection was not made, so nothing has left. */
const unsent = /No connection established|Name resolution failed|Channel closed before call started/

/** Node's words about certificates, and OpenSSL's. */
const distrust: readonly (readonly [pattern: RegExp, why: string])[] = [
  [/altnames|does not match/i, "the server's certificate is for another host"],
  [/expired|not yet valid/i, "the server's certificate has expired or is not valid yet"],
  [/alert|certificate required/i, "the server does not accept the client's certificate, or wants one (cert, key)"],
  [/wrong version number|packet length/i, 'the server does not speak TLS'],
  [
    /certificate|CERT_|issuer/i,
    "the server's certificate is not trusted; name its authority (ca, NODE_EXTRA_CA_CERTS)",
  ],
]

/**
 * A failure as callers may be told of it: never the driver's own error, whose text may hold anything.
 */
export function failureOf(thrown: unknown): LockError {
  const known = LockError.find(thrown)
  if (known) return known
  const text = String((thrown as { message?: unknown } | undefined)?.message)
  const soon = passing.find(([part]) => text.includes(part))
  if (soon) return unavailable(`etcd refuses: ${soon[1]}`)
  const never = lasting.find(([part]) => text.includes(part))
  if (never) return refused(`etcd refuses: ${never[1]}`)
  if (leaseIsGone(thrown)) return unavailable(leaseEnded)
  if (unsent.test(text)) {
    const why = distrust.find(([pattern]) => pattern.test(text))?.[1]
    if (why) return refused(`the TLS connection to etcd cannot be made: ${why}`)
    const code = /\b(E[A-Z]{3,})\b/.exec(text)?.[1]
    const said = unsentBecause(code) ?? (code ? `${code}: ${unknownWhy}` : unknownWhy)
    return unavailable(`etcd cannot be reached: ${said}`)
  }
  if (/^\d+ DEADLINE_EXCEEDED/.test(text)) return unknown('etcd did not answer in time')
  return unknown(`the call to etcd failed${grpcCode(text)}`)
}

const leaseEnded = 'the lease has ended'

/** A call that puts something under a lease says so; nothing was applied. */
export const leaseIsGone = (thrown: unknown): boolean => {
  const text = String((thrown as { message?: unknown } | undefined)?.message)
  return text === leaseEnded || text.includes('requested lease not found')
}

/** Where the driver says a code at most, as of a server that hangs up. */
const unknownWhy = 'is it started, are host and port right, and is it TLS (etcds:) or not (etcd:)?'

/** Whether the server takes nothing more, and has applied nothing. */
export const isFull = (thrown: unknown): boolean => LockError.find(thrown)?.message.includes(full) === true

/** Whether the client's token is at fault, for which another client has to be made. */
export const tokenIsOld = (thrown: unknown): boolean =>
  /auth store is old|invalid auth token/.test(String((thrown as { message?: unknown } | undefined)?.message))

/** The name of gRPC's code is all that is taken from the driver's own text. */
function grpcCode(text: string): string {
  const code = /^\d+ ([A-Z_]+):/.exec(text)?.[1]
  return code ? ` (${code})` : ''
}

export const unknown = (message: string): LockError => new LockError('OUTCOME_UNKNOWN', message)
export const unavailable = (message: string): LockError => new LockError('UNAVAILABLE', message)
/** Nothing that asking again would change. */
const refused = (message: string): LockError => new LockError('UNAVAILABLE', message, { temporary: false })
