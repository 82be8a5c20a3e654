import { LockError, type Holding, type Lock, type LockManager, type LockSet } from '@locks/core'

export interface Wish {
  readonly names: readonly string[]
  readonly owner: string
  readonly shared?: boolean | undefined
  readonly permits?: number | undefined
  readonly weight?: number | undefined
  /** Milliseconds; for ever if undefined. */
  readonly timeout?: number | undefined
  readonly signal: AbortSignal
}

/** What has been granted. */
export interface Held {
  readonly names: readonly string[]
  readonly owner: string
  /** One a name; undefined where the backend has none. */
  readonly tokens: readonly string[] | undefined
  readonly holding: Holding
}

export async function acquire(locks: LockManager, wish: Wish): Promise<Held> {
  const { names, owner, shared, permits, weight, timeout, signal } = wish
  const mode = shared ? 'shared' : undefined
  const [name = '', ...more] = names
  if (more.length === 0) {
    return heldBy(owner, await locks.acquire(name, { mode, permits, weight, timeout, signal }))
  }
  const set = await locks.acquireAll(names, { mode, timeout, signal })
  return { names, owner, holding: set, tokens: unlessAbsent(() => tokensOf(set)) }
}

export function heldBy(owner: string, lock: Lock): Held {
  return { names: [lock.name], owner, holding: lock, tokens: unlessAbsent(() => [lock.token]) }
}

const tokensOf = ({ names, tokens }: LockSet): Lock['token'][] => names.flatMap((name) => tokens.get(name) ?? [])

function unlessAbsent(tokens: () => readonly bigint[]): string[] | undefined {
  try {
    return tokens().map(String)
  } catch (error) {
    if (LockError.is(error, 'UNSUPPORTED')) return undefined
    throw error
  }
}
