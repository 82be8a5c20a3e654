import type { LockInfo } from '@locks/core'

/** A holder or a waiter, as it is shown. */
export interface Contender {
  readonly owner: string
  readonly clientId: string
  readonly mode: string
  readonly permits?: number | undefined
  readonly weight?: number | undefined
  readonly token?: string | undefined
  /** Milliseconds since it was granted, or queued. */
  readonly ageMs?: number | undefined
}

export interface Described {
  readonly name: string
  readonly held: readonly Contender[]
  /** In the order in which they will be granted. */
  readonly waiting: readonly Contender[]
}

export function described(name: string, held: readonly LockInfo[], pending: readonly LockInfo[]): Described {
  const now = Date.now()
  return { name, held: held.map((each) => contender(each, now)), waiting: pending.map((each) => contender(each, now)) }
}

function contender({ owner, clientId, mode, permits, weight, token, since }: LockInfo, now: number): Contender {
  return {
    owner,
    clientId,
    mode,
    permits,
    weight,
    token: token === undefined ? undefined : String(token),
    // Clocks differ.
    ageMs: since === undefined ? undefined : Math.max(0, Math.round(now - since)),
  }
}

export function kindOf(contender: Contender | undefined): string {
  if (!contender) return '-'
  const { mode, permits, weight = 1 } = contender
  return mode === 'permit' ? `${weight} of ${permits} permits` : mode
}
