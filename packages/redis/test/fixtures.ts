import type { LockManager, LockManagerSnapshot } from '@locks/core'
import type { RedisServer } from '@locks/testkit'

export * from '@locks/testkit/fixtures'

/** Whoever holds a name or waits for it. */
export async function present(locks: LockManager, name: string): Promise<number> {
  const { held, pending }: LockManagerSnapshot = await locks.query(name)
  return held.length + pending.length
}

/** What a server has beyond the last tokens and names: nothing, once everybody has left. */
export async function leftAt(server: RedisServer): Promise<string[]> {
  const left: string[] = []
  const now = Number(lines(await server.cli('TIME'))[0]) * 1_000
  for (const key of lines(await server.cli('KEYS', '*'))) {
    const all = lines(await server.cli('HGETALL', key))
    const fields = new Map(all.flatMap((field, at) => (at % 2 === 0 ? [[field, all[at + 1] ?? '']] : [])))
    const claims = [...fields.keys()].filter((field) => field.startsWith('#')).map((field) => field.slice(1))
    // What a server that was stopped has taken from a connection that is gone is nobody's, and expires.
    const alive = claims.filter((id) => Number(fields.get(`=${id}`)?.split(' ')[0]) > now)
    left.push(...alive.map((id) => `${key} #${id}`))
    const others = [...fields.keys()].filter((field) => field !== 't' && field !== 'a')
    if (claims.length === 0) left.push(...others.map((field) => `${key} ${field}`))
  }
  return left
}

const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '')
