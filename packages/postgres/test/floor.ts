/**
 * `node floor.ts URL WHAT [ROUNDS [CYCLES]]`: prints, as JSON, what acquire + release of free locks cost, in units of the
 * fewest statements of the bare driver that could do the job, prepared: `pg_try_advisory_lock` and `pg_advisory_unlock`.
 * WHAT is `one`, lock after lock, or `many`: 64 names at once.
 */
import { LockManager } from '@locks/core'
import { postgres } from '@locks/postgres'
import { compare, printed, type Figures } from '@locks/testkit/ratio'
import { Client, type ClientConfig } from 'pg'

const many = 64

async function main(url: string, width: number, rounds: number, cycles: number): Promise<Figures> {
  // Statements that leave side by side share round trips.
  const client = new Client({ connectionString: url, pipeline: width > 1 } as ClientConfig)
  await client.connect()
  const locks = new LockManager(postgres({ url }), { ttl: 10_000 })
  await locks.connect()

  const ask = async (name: string, verb: string, key: number) => {
    const { rows } = await client.query<{ done: boolean }>({ name, text: `SELECT ${verb}($1) AS done`, values: [key] })
    if (rows[0]?.done !== true) throw new Error('it is not free, or not there')
  }

  async function bare(key: number): Promise<void> {
    await ask('lock', 'pg_try_advisory_lock', key)
    await ask('unlock', 'pg_advisory_unlock', key)
  }

  async function ours(key: number): Promise<void> {
    const lock = await locks.acquire(`floor ${key}`)
    if ((await lock.release()) !== 'released') throw new Error('it is not there')
  }

  /** So many cycles, as many side by side as are wanted. */
  const times = (work: (key: number) => Promise<void>) => async (all: number) => {
    for (let done = 0; done < all; done += width) {
      await Promise.all(Array.from({ length: width }, (_, key) => work(key)))
    }
  }

  const figures = await compare({ ours: times(ours), bare: times(bare), rounds, cycles })
  await client.end()
  await locks.close()
  return figures
}

if (process.argv[1] === import.meta.filename) {
  const [url = '', what, rounds = '15', cycles = '1500'] = process.argv.slice(2)
  console.log(printed(await main(url, what === 'many' ? many : 1, Number(rounds), Number(cycles))))
}
