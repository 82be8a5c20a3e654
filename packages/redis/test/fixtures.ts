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
  for (const key of lines(await server.cli('KEYS', '*'))) {
    const fields = lines(await server.cli('HKEYS', key))
    left.push(...fields.filter((field) => field !== 't' && field !== 'a').map((field) => `${key} ${field}`))
  }
  return left
}

const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '')
