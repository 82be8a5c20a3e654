import { setTimeout as sleep } from 'node:timers/promises'

const pause = 10
const patience = 60_000

/**
 * Waits until `condition` gives something other than `undefined` and `false`, and returns that. A condition that
 * throws does not hold yet; what it threw last is the cause of the error when patience ends.
 */
export async function until<T>(
  what: string,
  condition: () => T | undefined | false | Promise<T | undefined | false>,
): Promise<T> {
  const deadline = performance.now() + patience
  let last: unknown
  while (performance.now() < deadline) {
    try {
      const found = await condition()
      if (found !== undefined && found !== false) return found
    } catch (error) {
      last = error
    }
    await sleep(pause)
  }
  throw new Error(`waited ${patience / 1_000} s in vain until ${what}`, { cause: last })
}
