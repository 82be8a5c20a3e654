/**
 * `node floor.ts URL [ROUNDS [CYCLES]]`: prints, as JSON, what acquire + release of a free lock costs, in units of the
 * fewest commands of the bare driver that could do the job: SET NX PX, and a script that deletes what has one's own id.
 */
import { randomBytes } from 'node:crypto'
import { LockManager } from '@locks/core'
import { redis } from '@locks/redis'
import { compare, printed, type Figures } from '@locks/testkit/ratio'
import { Redis } from 'ioredis'

const ttl = 10_000

async function main(url: string, rounds: number, perRound: number): Promise<Figures> {
  const client = new Redis(url)
  const compareAndDelete = `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0`
  const sha = String(await client.script('LOAD', compareAndDelete))
  const locks = new LockManager(redis({ url, restartGrace: false }), { ttl })
  await locks.connect()

  async function bare(cycles: number): Promise<void> {
    for (let done = 0; done < cycles; done++) {
      const id = randomBytes(16).toString('base64url')
      if ((await client.set('floor', id, 'PX', ttl, 'NX')) !== 'OK') throw new Error('it is not free')
      if ((await client.evalsha(sha, 1, 'floor', id)) !== 1) throw new Error('it is not there')
    }
  }

  async function ours(cycles: number): Promise<void> {
    for (let done = 0; done < cycles; done++) {
      const lock = await locks.acquire('floor')
      if ((await lock.release()) !== 'released') throw new Error('it is not there')
    }
  }

  const figures = await compare({ ours, bare, rounds, cycles: perRound })
  client.disconnect()
  await locks.close()

  return figures
}

if (process.argv[1] === import.meta.filename) {
  const [url = 'redis://127.0.0.1:6379', rounds = '15', cycles = '1500'] = process.argv.slice(2)
  const figures = await main(url, Number(rounds), Number(cycles))
  console.log(printed(figures))
}
