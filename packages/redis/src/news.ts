import type { Instant } from '@locks/core/backend'

/** What a script tells a client: a claim of its was granted, or stolen. */
export type News = Granted | { readonly id: string; readonly granted: false }

export interface Granted {
  readonly id: string
  readonly granted: true
  readonly token: bigint
  /** When the claim's heartbeat left from which its expiry is counted. */
  readonly sent: Instant
}

/** A line each. */
export function newsOf(message: unknown): News[] {
  if (typeof message !== 'string' || message === '') return []
  return message.split('\n').flatMap((line): News[] => {
    const [, sign, id = '', token, stamp] = /^([+-])(\S+)(?: (\d+) (\S+))?$/.exec(line) ?? []
    if (sign === '-') return [{ id, granted: false }]
    if (sign !== '+' || token === undefined || stamp === undefined) return []
    return [{ id, granted: true, token: BigInt(token), sent: instantOf(stamp) }]
  })
}

/**
 * The instant of a heartbeat as the store keeps it beside an entry, rounded down: news of a grant comes with the stamp of
 * the heartbeat from which the store counts the entry's expiry.
 */
export const stampOf = ({ mono, wall }: Instant): string => `${Math.floor(mono)}:${Math.floor(wall)}`

function instantOf(stamp: string): Instant {
  const [mono, wall] = stamp.split(':')
  return { mono: Number(mono), wall: Number(wall) }
}
