import { createHash } from 'node:crypto'
import { systemRandom, type Claim, type Clock, type Entry, type Session } from '@locks/core/backend'
import { memory } from '@locks/core/memory'
import { sqlite } from '@locks/sqlite'
import { expect, test } from 'vitest'
import { cleanup, database, until } from './support.ts'

/** Stands still, so that nothing here is found by a poll: a wake-up that is missing is missed. */
const stopped: Clock = { now: () => ({ mono: 5_000, wall: 5_000 }), after: () => ({ cancel() {} }) }
const modes = ['exclusive', 'exclusive', 'shared', 'permit'] as const

interface World {
  readonly sessions: Session[]
  readonly told: string[]
}

async function world(backend: ReturnType<typeof memory>): Promise<World> {
  const told: string[] = []
  const sessions: Session[] = []
  for (const clientId of ['one', 'two', 'three']) {
    const events = {
      granted: ({ id }: { id: string }) => void told.push(`granted ${id}`),
      lost: (id: string, how: string) => void told.push(`${how} ${id}`),
    }
    const identity = { namespace: 'n', clientId, owner: 'o', ttl: 3_000 }
    sessions.push(await backend.open({ ...identity, clock: stopped, random: systemRandom, events }))
  }
  cleanup(() => Promise.all(sessions.map((session) => session.close())))
  return { sessions, told }
}

test.for(Array.from({ length: 60 }, (_, seed) => seed))('it does what memory does, seed %i', async (seed) => {
  const worlds = [await world(memory()), await world(sqlite({ path: database() }))] as const
  let draws = 0
  const below = (limit: number) => createHash('sha256').update(`${seed}:${draws++}`).digest().readUInt32BE() % limit
  const claims: Claim[][] = [[], [], []]
  for (let step = 0; step < 80; step++) {
    const who = below(3)
    const act = action(`${step}`, claims[who] as Claim[], seed % 2 === 0, below)
    const answers = []
    for (const { sessions } of worlds)
      answers.push(await act(sessions[who] as Session).catch((error: Error) => error.message))
    expect(answers[1], `answer of step ${step}`).toEqual(answers[0])
    const [reference, tried] = worlds
    await until(() => grants(tried).length >= grants(reference).length)
    expect(grants(tried), `grants up to step ${step}`).toEqual(grants(reference))
    // Victims elsewhere are told when they renew.
    expect(reference.told).toEqual(expect.arrayContaining(tried.told))
    const states = []
    for (const { sessions } of worlds) states.push(stateOf(await (sessions[0] as Session).query()))
    expect(states[1], `state after step ${step}`).toEqual(states[0])
  }
})

function grants({ told }: World): string[] {
  return told.filter((each) => each.startsWith('granted')).toSorted()
}

/** One call, to be made alike in both worlds: about sets, or about steals, which the standard does not combine. */
function action(
  id: string,
  claims: Claim[],
  sets: boolean,
  below: (limit: number) => number,
): (session: Session) => Promise<unknown> {
  const kind = below(10)
  if (kind < 4 && claims.length > 0) {
    const [claim] = claims.splice(below(claims.length), 1) as [Claim]
    return (session) => session.remove(claim)
  }
  if (kind === 4) {
    const all = [...claims]
    // Memory keeps nothing of the robbed.
    return async (session) =>
      [...(await session.renew(all))].map(([, standing]) => (typeof standing === 'string' ? 'gone' : 'there'))
  }
  const mode = modes[below(4)] ?? 'exclusive'
  const pool = ['a', 'b', 'c']
  const size = sets && below(3) === 0 ? 2 : 1
  const names = mode === 'permit' && below(8) > 0 ? ['s'] : pool.splice(below(2), size)
  const steal = !sets && mode === 'exclusive' && below(5) === 0
  const weights = mode === 'permit' ? { permits: 3, weight: 1 + below(3) } : {}
  const valued = mode === 'exclusive' && names.length === 1 && below(2) === 0 ? { value: `of ${id}` } : {}
  const claim = { id, names, mode, steal, wait: below(5) > 0, ...weights, ...valued }
  claims.push(claim)
  return async (session) => {
    const answer = await session.acquire(claim)
    return typeof answer === 'object' ? answer?.tokens.length : answer
  }
}

/** By name: the holders in the order of their tokens, and the waiters in their own. */
function stateOf(entries: readonly Entry[]): Record<string, string[]> {
  const state: Record<string, string[]> = {}
  const holders = entries.filter(({ holds }) => holds).toSorted((a, b) => Number((a.token ?? 0n) - (b.token ?? 0n)))
  for (const { name, mode, clientId, holds, value } of [...holders, ...entries.filter((each) => !each.holds)]) {
    ;(state[name] ??= []).push(`${holds ? 'holds' : 'waits'} ${mode} ${clientId} ${value}`)
  }
  return state
}
