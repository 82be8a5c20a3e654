import {
  encodeName,
  systemClock,
  systemRandom,
  type Backend,
  type Clock,
  type Grant,
  type Loss,
  type Request,
  type Session,
} from '@locks/core/backend'
import { cleanup } from './fixtures.ts'

export interface Opened {
  readonly session: Session
  readonly granted: Grant[]
  readonly lost: [id: string, how: Loss][]
}

export interface OpenOptions {
  readonly ttl?: number
  readonly clock?: Clock
  readonly clientId?: string
}

/** A session with what it was told; it goes with the test. */
export async function openSession(
  backend: Backend,
  { ttl = 10_000, clock = systemClock, clientId = systemRandom.id() }: OpenOptions = {},
): Promise<Opened> {
  const granted: Grant[] = []
  const lost: [string, Loss][] = []
  const events = {
    granted: (grant: Grant) => void granted.push(grant),
    lost: (id: string, how: Loss) => void lost.push([id, how]),
  }
  const identity = { namespace: 'test', clientId, owner: 'tester', ttl }
  const session = await backend.open({ ...identity, clock, random: systemRandom, events })
  cleanup(() => session.close())
  return { session, granted, lost }
}

/** An exclusive claim that waits, with what is said otherwise. */
export function request(name: string, rest: Partial<Request> = {}): Request {
  return { id: systemRandom.id(), names: [encodeName(name)], mode: 'exclusive', wait: true, steal: false, ...rest }
}
