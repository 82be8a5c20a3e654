import { subscribe } from 'node:diagnostics_channel'
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
import { redis, type RedisOptions } from '@locks/redis'
import { startRedis, type RedisOptions as ServerOptions, type RedisServer } from '@locks/testkit'
import { Redis } from 'ioredis'
import { cleanup } from '@locks/testkit/fixtures'
import { afterEach, expect } from 'vitest'

export { cleanup }

/** What was warned of; nobody else is told. */
export const warnings: { code: string; message: string }[] = []
subscribe('locks:warning', (warning) => warnings.push(warning as { code: string; message: string }))
afterEach(() => void warnings.splice(0))

/** A server that goes with the test. */
export async function server(options: ServerOptions = {}): Promise<RedisServer> {
  const started = await startRedis(options)
  cleanup(() => started.end())
  return started
}

/** A client of the test's own. */
export function client(url: string): Redis {
  const made = new Redis(url)
  made.on('error', () => {})
  cleanup(() => made.disconnect())
  return made
}

/** On a server that has only just been started and has nothing to remember. */
export const at = (url: string, rest: RedisOptions = {}): Backend => redis({ url, restartGrace: false, ...rest })

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

export const namespace = 'test'

/** A session with what it was told. */
export async function open(
  backend: Backend,
  { ttl = 10_000, clock = systemClock, clientId = systemRandom.id() }: OpenOptions = {},
): Promise<Opened> {
  const granted: Grant[] = []
  const lost: [string, Loss][] = []
  const events = {
    granted: (grant: Grant) => void granted.push(grant),
    lost: (id: string, how: Loss) => void lost.push([id, how]),
  }
  const identity = { namespace, clientId, owner: 'tester', ttl }
  const session = await backend.open({ ...identity, clock, random: systemRandom, events })
  cleanup(() => session.close())
  return { session, granted, lost }
}

/** An exclusive claim that waits, with what is said otherwise. */
export function request(name: string, rest: Partial<Request> = {}): Request {
  return { id: systemRandom.id(), names: [encodeName(name)], mode: 'exclusive', wait: true, steal: false, ...rest }
}

/** The token of a claim that is granted at once. */
export async function take(session: Session, claim: Request): Promise<bigint> {
  const answer = await session.acquire(claim)
  if (typeof answer !== 'object' || !answer) throw new Error(`not granted at once: ${answer}`)
  return tokenOf(answer)
}

export const tokenOf = (grant: Grant | undefined): bigint => grant?.tokens[0] ?? 0n

/** Where a name's state is. */
export const keyFor = (name: string): string => `locks:{${namespace}/${encodeName(name)}}`

/** What a promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<Error> {
  const outcome: unknown = await promise.then(
    () => undefined,
    (error: unknown) => error,
  )
  expect(outcome, 'it rejects').toBeInstanceOf(Error)
  return outcome as Error
}

/** Waits for a condition; the test's own time-out is the bound. */
export async function until<T>(condition: () => T | Promise<T>): Promise<Exclude<T, false | null | undefined>> {
  for (;;) {
    const found = await condition()
    if (found) return found as Exclude<T, false | null | undefined>
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
