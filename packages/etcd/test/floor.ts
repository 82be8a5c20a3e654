/**
 * `node floor.ts URL [ROUNDS [CYCLES]]`: prints, as JSON, what acquire + release of a free lock costs, in units of the
 * fewest calls of the bare driver that could do the job: a transaction that puts a key unless it is there, under a lease
 * that is shared, and a deletion.
 */
import { LockManager } from '@locks/core'
import { etcd } from '@locks/etcd'
import { compare, printed, type Figures } from '@locks/testkit/ratio'
import { Etcd3 } from 'etcd3'

const ttl = 10_000

async function main(url: string, rounds: number, cycles: number): Promise<Figures> {
  const client = new Etcd3({ hosts: url.replace('etcd://', 'http://') })
  const lease = client.lease(ttl / 1_000)
  const id = await lease.grant()
  const locks = new LockManager(etcd({ url }), { ttl })
  await locks.connect()
  const key = Buffer.from('floor')
  const free = { key, target: 'Create', result: 'Equal', create_revision: '0' } as const
  const put = { request_put: { key, value: Buffer.from('value'), lease: id } }

  async function bare(times: number): Promise<void> {
    for (let done = 0; done < times; done++) {
      const { succeeded } = await client.kv.txn({ compare: [free], success: [put] })
      if (!succeeded) throw new Error('it is not free')
      if ((await client.kv.deleteRange({ key })).deleted !== '1') throw new Error('it is not there')
    }
  }

  async function ours(times: number): Promise<void> {
    for (let done = 0; done < times; done++) {
      const lock = await locks.acquire('floor')
      if ((await lock.release()) !== 'released') throw new Error('it is not there')
    }
  }

  const figures = await compare({ ours, bare, rounds, cycles })
  await lease.revoke()
  client.close()
  await locks.close()
  return figures
}

if (process.argv[1] === import.meta.filename) {
  const [url = 'etcd://127.0.0.1:2379', rounds = '15', cycles = '300'] = process.argv.slice(2)
  console.log(printed(await main(url, Number(rounds), Number(cycles))))
}
