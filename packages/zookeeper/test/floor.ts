/**
 * `node floor.ts PORT [ROUNDS [CYCLES]]`: prints, as JSON, what acquire + release of a free lock costs, in units of the
 * fewest operations of the bare driver that could do the job: create an ephemeral node, and remove it.
 */
import { LockManager } from '@locks/core'
import { compare, printed, type Figures } from '@locks/testkit/ratio'
import { zookeeper } from '@locks/zookeeper'
import { connectAdmin } from './admin.ts'

const ttl = 10_000

async function main(port: number, rounds: number, cycles: number): Promise<Figures> {
  const client = await connectAdmin([port])
  const locks = new LockManager(zookeeper({ url: `zookeeper://127.0.0.1:${port}/locks` }), { ttl })
  await locks.connect()

  async function bare(times: number): Promise<void> {
    for (let done = 0; done < times; done++) {
      await client.createEphemeral('/floor')
      await client.remove('/floor')
    }
  }

  async function ours(times: number): Promise<void> {
    for (let done = 0; done < times; done++) {
      const lock = await locks.acquire('floor')
      if ((await lock.release()) !== 'released') throw new Error('it is not there')
    }
  }

  const figures = await compare({ ours, bare, rounds, cycles })
  client.close()
  await locks.close()
  return figures
}

if (process.argv[1] === import.meta.filename) {
  const [port = '2181', rounds = '15', cycles = '500'] = process.argv.slice(2)
  console.log(printed(await main(Number(port), Number(rounds), Number(cycles))))
}
