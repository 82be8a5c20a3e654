import { checkBearer, invalid, outdated, shown, type Bearer } from '@locks/core/backend'
import { codeOf } from './failures.ts'
import { check } from './lua/check.ts'
import { isClient, type RedisClient } from './options.ts'
import { script } from './scripts.ts'

/** What a guarded script is given, as it would be to EVAL. */
export interface ScriptInput {
  readonly keys?: readonly string[] | undefined
  readonly args?: readonly (string | number | Buffer)[] | undefined
}

/**
 * Guards data in Redis, by a client of the application's. The highest tokens that have come are in a hash at `key`,
 * which belongs beside the data: on the same server and, in a cluster, in the same slot (`{order:42}:fence`). It has no
 * expiry, and has to be there for as long as a holder may be late: it is not to be deleted with the data.
 *
 * The lock may be of any store. Errors of the client's are passed on as they are.
 */
export class RedisGuard {
  readonly #client: RedisClient
  readonly #key: string

  constructor(client: RedisClient, key: string) {
    if (!isClient(client)) throw invalid(`RedisGuard takes an ioredis Redis or Cluster; got ${shown(client)}`)
    if (typeof key !== 'string' || key === '') throw invalid(`RedisGuard takes the key of its hash; got ${shown(key)}`)
    this.#client = client
    this.#key = key
  }

  /**
   * Lets a holder in, before its first read, and from now on refuses whoever held the lock before it. Rejects with
   * `LOST` where a newer one has been let in. It says nothing of what comes later: a write belongs into {@link
   * RedisGuard.run}.
   */
  async enter(bearer: Bearer): Promise<void> {
    await this.run(bearer, '')
  }

  /**
   * Runs a Lua script if no newer holder has been here, in **one step** with the check: nothing comes in between.
   * Rejects with `LOST`, and has changed nothing, where one has. The script sees its own `KEYS` and `ARGV`, and none of
   * the guard's. A client that repeats what was unanswered when its connection failed, as ioredis does unless told
   * otherwise, may run it twice: to the guard it is the same holder again.
   */
  async run(bearer: Bearer, text: string, { keys = [], args = [] }: ScriptInput = {}): Promise<unknown> {
    checkBearer(bearer)
    const { token, mode } = bearer
    const guarded = script(check + text)
    // Behind the script's own, which are then where it looks for them.
    const input = [...keys, this.#key, ...args, String(token), mode]
    try {
      return await this.#client.evalsha(guarded.sha, keys.length + 1, ...input).catch((error: unknown) => {
        if (codeOf(error) !== 'NOSCRIPT') throw error
        return this.#client.eval(guarded.text, keys.length + 1, ...input)
      })
    } catch (error) {
      const newer = /^FENCED (\d+)$/.exec(String((error as Error).message))?.[1]
      throw newer === undefined ? error : outdated(token, BigInt(newer))
    }
  }
}
