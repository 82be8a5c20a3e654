import { createHash } from 'node:crypto'
import type { Backend, Claim, Clock, Entry, Grant, Session } from '@locks/core/backend'
import { memory } from '@locks/core/memory'
import { startRedis, type RedisServer } from '@locks/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { at, client, open, until, type Opened } from './support.ts'

/** Stands still, so that nothing here is found by a look: news that is missing is missed. */
const stopped: Clock = { now: () => ({ mono: 5_000, wall: 5_000 }), after: () => ({ cancel() {} }) }
/** The server's time goes on: nothing expires there within a test. */
const ttl = 600_000
const modes = ['exclusive', 'exclusive', 'shared', 'permit'] as const

let server: RedisServer
beforeAll(async () => {
  server = await startRedis()
})
afterAll(() => server.end())

type World = readonly Opened[]

const world = (backend: Backend): Promise<World> =>
  Promise.all(['one', 'two', 'three'].map((clientId) => open(backend, { ttl, clock: stopped, clientId })))

test.for(Array.from({ length: 40 }, (_, seed) => seed))('it does what memory does, seed %i', async (seed) => {
  await client(server.url).flushall()
  const worlds = [await world(memory()), await world(at(server.url))] as const
  const [reference, tried] = worlds
  let draws = 0
  const below = (limit: number) => createHash('sha256').update(`${seed}:${draws++}`).digest().readUInt32BE() % limit
  const claims: Claim[][] = [[], [], []]
  let current = 0
  const expected = await watchAll(reference, () => current)
  const watched = await watchAll(tried, () => current)
  let highest = 0n
  for (let step = 0; step < 80; step++) {
    current = step
    const who = below(3)
    const act = action(`${step}`, claims[who] as Claim[], below)
    const answers = []
    for (const opened of worlds)
      answers.push(await act((opened[who] as Opened).session).catch((error: Error) => error.message))
    expect(answers[1], `answer of step ${step}`).toEqual(answers[0])
    await until(() => told(tried).length >= told(reference).length && watched.size >= expected.size)
    expect(told(tried), `news up to step ${step}`).toEqual(told(reference))
    expect(watched, `who was told of a name up to step ${step}`).toEqual(expected)
    const states = []
    for (const [{ session }] of worlds as unknown as [Opened][]) states.push(stateOf(await session.query()))
    expect(states[1], `state after step ${step}`).toEqual(states[0])
    for (const { granted } of tried) for (const { tokens } of granted) highest = max(highest, tokens[0] ?? 0n)
  }
  expect(highest).toBeGreaterThan(0n)
})

const max = (a: bigint, b: bigint) => (a > b ? a : b)

/** By session; nothing is said of the order in which several are told. */
function told(opened: World): string[] {
  return opened
    .flatMap(({ granted, lost }, who) => [
      ...granted.map(({ id }) => `${who}: granted ${id}`),
      ...lost.map(([id, how]) => `${who}: ${how} ${id}`),
    ])
    .toSorted()
}

/** Who is told of which name, and in which step; memory may tell twice of what is one change in Redis. */
async function watchAll(opened: World, step: () => number): Promise<ReadonlySet<string>> {
  const seen = new Set<string>()
  for (const [who, { session }] of opened.entries()) {
    for (const name of ['a', 'b', 's']) await session.watch?.(name, () => seen.add(`${step()}: ${who} of ${name}`))
  }
  return seen
}

/** One call, to be made alike in both worlds. */
function action(id: string, claims: Claim[], below: (limit: number) => number): (session: Session) => Promise<unknown> {
  const kind = below(10)
  if (kind < 4 && claims.length > 0) {
    const [claim] = claims.splice(below(claims.length), 1) as [Claim]
    return (session) => session.remove(claim)
  }
  if (kind === 4) {
    const all = [...claims]
    return async (session) =>
      [...(await session.renew(all))].map(([each, standing]) => `${each} ${standingOf(standing)}`).toSorted()
  }
  if (kind === 5 && claims.length > 0) {
    // A repeated call finds its own entry.
    const claim = claims[below(claims.length)] as Claim
    return async (session) => answerOf(await session.acquire(claim as Parameters<Session['acquire']>[0]))
  }
  const mode = modes[below(4)] ?? 'exclusive'
  const name = mode === 'permit' && below(8) > 0 ? 's' : (['a', 'b', 's'][below(3)] ?? 'a')
  const steal = mode === 'exclusive' && below(5) === 0
  const weights = mode === 'permit' ? { permits: 3, weight: 1 + below(3) } : {}
  const value = mode === 'exclusive' && below(2) === 0 ? { value: `of ${id}` } : {}
  const claim = { id, names: [name], mode, steal, wait: below(5) > 0, ...weights, ...value }
  claims.push(claim)
  return async (session) => answerOf(await session.acquire(claim))
}

const answerOf = (answer: Grant | 'queued' | null) => (typeof answer === 'object' ? answer?.tokens.length : answer)

/** Memory keeps nothing of the robbed. */
function standingOf(standing: unknown): string {
  if (typeof standing === 'string') return 'gone'
  return typeof standing === 'object' && standing !== null && 'tokens' in standing ? 'holds' : 'waits'
}

/** By name: the holders in the order of their tokens, and the waiters in their own. */
function stateOf(entries: readonly Entry[]): Record<string, string[]> {
  const state: Record<string, string[]> = {}
  const holders = entries.filter(({ holds }) => holds).toSorted((a, b) => Number((a.token ?? 0n) - (b.token ?? 0n)))
  for (const entry of [...holders, ...entries.filter((each) => !each.holds)]) {
    const { name, mode, clientId, holds, permits, weight, value } = entry
    const line = `${holds ? 'holds' : 'waits'} ${mode} ${clientId} ${weight ?? 1}/${permits ?? 0} ${value}`
    ;(state[name] ??= []).push(line)
  }
  return state
}
