import type { Entry } from './contract.ts'
import { decodeName } from './names.ts'
import type { Mode } from './queue.ts'

/** One holder or waiter, as in Web Locks, with what else is known. */
export interface LockInfo {
  name: string
  mode: Mode
  /** Random and public, one a manager. */
  clientId: string
  /** The label of its manager. */
  owner: string
  permits?: number
  weight?: number
  /** Of a holder. */
  token?: bigint
  /** Epoch ms: when it was granted, or queued. */
  since?: number
}

export interface LockManagerSnapshot {
  held: LockInfo[]
  /** In queue order, name by name. */
  pending: LockInfo[]
}

export function snapshot(entries: readonly Entry[]): LockManagerSnapshot {
  const held: LockInfo[] = []
  const pending: LockInfo[] = []
  for (const entry of entries) (entry.holds ? held : pending).push(info(entry))
  return { held, pending }
}

function info(entry: Entry): LockInfo {
  const { mode, clientId, owner, permits, weight, token, since } = entry
  return {
    name: decodeName(entry.name),
    mode,
    clientId,
    owner,
    ...(permits !== undefined && { permits }),
    ...(weight !== undefined && { weight }),
    ...(token !== undefined && { token }),
    ...(since !== undefined && { since }),
  }
}
