import type { Entry } from './contract.ts'

/** Who leads. A plain object. */
export interface Leader {
  /** What it campaigned with. */
  value: string
  /** Random and public, one a manager. */
  clientId: string
  /** The label of its manager. */
  owner: string
  /**
   * The fencing token of its leadership, where the backend has tokens. Of a quorum only where its nodes agree; and lower than
   * the leadership's own where that was confirmed twice, because the answer was lost.
   */
  token?: bigint
  /** Epoch ms: when it was elected. */
  since?: number
}

/** A leader, and what tells this leadership of it from every other, its own included. */
export interface Reign {
  readonly id: string
  readonly leader: Leader
}

/**
 * What the store keeps beside a campaign's entry: an id of the campaign's own, which is public, and its value. JSON, since
 * that writes lone surrogates and NUL with letters that every store takes.
 */
export const inscribe = (id: string, value: string): string => JSON.stringify([id, value])

/** Who holds a name as its leader. */
export function reignIn(entries: readonly Entry[]): Reign | undefined {
  for (const entry of entries) {
    const inscription = entry.holds && entry.value !== undefined ? read(entry.value) : undefined
    if (!inscription) continue
    const [id, value] = inscription
    const { clientId, owner, token, since } = entry
    const known = { ...(token !== undefined && { token }), ...(since !== undefined && { since }) }
    return { id, leader: { value, clientId, owner, ...known } }
  }
  return undefined
}

/** Undefined for what another program has written there. */
function read(text: string): readonly [id: string, value: string] | undefined {
  try {
    const [id, value] = JSON.parse(text) as readonly unknown[]
    return typeof id === 'string' && typeof value === 'string' ? [id, value] : undefined
  } catch {
    return undefined
  }
}
