import { createHash } from 'node:crypto'
import {
  systemClock,
  type Backend,
  type Claim,
  type Clock,
  type Entry,
  type Grant,
  type Session,
} from '@locks/core/backend'
import { memory } from '@locks/core/memory'
import { postgres } from '@locks/postgres'
import { startPostgres } from '@locks/testkit'
import { afterAll, expect, test } from 'vitest'
import { until } from './fixtures.ts'
import { openSession, type Opened } from './support.ts'

const server = await startPostgres()
afterAll(() => server.end())

/** Its long timers never ring, so that nothing here is found by a look: news that is missing is missed. */
const impatient: Clock = {
  now: () => systemClock.now(),
  after: (ms, run) => (ms < 100 ? systemClock.after(ms, run) : { cancel() {} }),
}
const ttl = 600_000
const modes = ['exclusive', 'exclusive', 'shared', 'permit'] as const

type World = readonly Opened[]

const world = (backend: Backend): Promise<World> =>
  Promise.all(['one', 'two', 'three'].map((clientId) => openSession(backend, { ttl, clock: impatient, clientId })))

test.for(Array.from({ length: 20 }, (_, seed) => seed))('it does what memory does, seed %i', async (seed) => {
  const worlds = [await world(memory()), await world(postgres({ url: server.url }))] as const
  const [reference, tried] = worlds
  let draws = 0
  const below = (limit: number) => createHash('sha256').update(`${seed}:${draws++}`).digest().readUInt32BE() % limit
  const claims: Claim[][] = [[], [], []]
  let current = 0
  const expected = await watchAll(reference, () => current)
  const watched = await watchAll(tried, () => current)
  for (let step = 0; step < 60; step++) {
    current = step
    const who = below(3)
    const act = action(`${step}`, claims[who] as Claim[], below)
    const answers = []
    for (const opened of worlds)
      answers.push(await act((opened[who] as Opened).session).catch((error: Error) => error.message))
    expect(answers[1], `answer of step ${step}`).toEqual(answers[0])
    await until(`news of step ${step} have come`, () => told(tried).length >= told(reference).length)
    expect(told(tried), `news up to step ${step}`).toEqual(told(reference))
    // What was notified before comes before the answer.
    for (const { session } of tried) await session.query('a')
    expect(watched, `who was told of a name up to step ${step}`).toEqual(expected)
    const states = []
    for (const [{ session }] of worlds as unknown as [Opened][]) states.push(stateOf(await session.query()))
    expect(states[1], `state after step ${step}`).toEqual(states[0])
  }
})

/** By session; nothing is said of the order in which several are told. */
function told(opened: World): string[] {
  return opened
    .flatMap(({ granted, lost }, who) => [
      ...granted.map(({ id }) => `${who}: granted ${id}`),
      ...lost.map(([id, how]) => `${who}: ${how} ${id}`),
    ])
    .toSorted()
}

/** Who is told of which name, and in which step; memory may tell twice of what is one change here. */
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
  if (kind === 5 && claims.length > 0) {
    // A repeated call finds its own entry.
    const claim = claims[below(claims.length)] as Claim
    return async (session) => answerOf(await session.acquire(claim as Parameters<Session['acquire']>[0]))
  }
  const mode = modes[below(4)] ?? 'exclusive'
  const name = mode === 'permit' && below(8) > 0 ? 's' : (['a', 'b', 's'][below(3)] ?? 'a')
  const weights = mode === 'permit' ? { permits: 3, weight: 1 + below(3) } : {}
  const value = mode === 'exclusive' && below(2) === 0 ? { value: `of ${id}` } : {}
  const claim = { id, names: [name], mode, steal: false, wait: below(5) > 0, ...weights, ...value }
  claims.push(claim)
  return async (session) => answerOf(await session.acquire(claim))
}

const answerOf = (answer: Grant | 'queued' | null) => (typeof answer === 'object' ? answer?.tokens.length : answer)

/** By name: the holders, and the waiters in their order. */
function stateOf(entries: readonly Entry[]): Record<string, string[]> {
  const state: Record<string, string[]> = {}
  const shown = ({ mode, clientId, holds, permits, weight, value }: Entry) =>
    `${holds ? 'holds' : 'waits'} ${mode} ${clientId} ${weight ?? 1}/${permits ?? 0} ${value}`
  const holders = entries.filter(({ holds }) => holds).toSorted((a, b) => shown(a).localeCompare(shown(b)))
  for (const entry of [...holders, ...entries.filter((e) => !e.holds)]) (state[entry.name] ??= []).push(shown(entry))
  return state
}
