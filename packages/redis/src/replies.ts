/** What the scripts answer, checked no further: both sides are in this package. The last part is for `newsOf`. */
export type AcquireReply = readonly [answer: number, about: number | string, news: string]
export type RenewReply = readonly [standings: readonly number[], lefts: readonly number[], news: string]
export type RemoveReply = readonly [found: readonly number[], news: string]
export type QueryReply = readonly [now: number, fields: readonly string[]]

/** Of `acquire`; anything else: refused. */
export const answers = { granted: 1, queued: 0, otherKind: -2 } as const

/** Of `renew`, in place of a token; anything else below: gone. */
export const waits = 0
export const stolen = -2
