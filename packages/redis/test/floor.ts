/** Prints the cost of acquire + release, relative to the fewest commands of the bare driver that could do the job. */
import { LockManager } from '@locks/core'
import { redis } from '@locks/redis'
import { randomBytes } from 'node:crypto'
import { Redis } from 'ioredis'
const url = process.argv[2] ?? 'redis://127.0.0.1:7777'
const rounds = Number(process.argv[3] ?? 15),
  times = Number(process.argv[4] ?? 1500)
const client = new Redis(url)
const cad = `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0`
const sha = String(await client.script('LOAD', cad))
const locks = new LockManager(redis({ url }), { ttl: 10_000 })
await locks.connect()
async function bare() {
  for (let i = 0; i < times; i++) {
    const id = randomBytes(16).toString('base64url')
    if ((await client.set('floor', id, 'PX', 10_000, 'NX')) !== 'OK') throw new Error('not free')
    if ((await client.evalsha(sha, 1, 'floor', id)) !== 1) throw new Error('not there')
  }
}
async function ours() {
  for (let i = 0; i < times; i++) await (await locks.acquire('floor')).release()
}
const timed = async (f: () => Promise<void>) => {
  const s = performance.now()
  await f()
  return performance.now() - s
}
await bare()
await ours()
const ratios: number[] = [],
  a: number[] = [],
  b: number[] = []
for (let r = 0; r < rounds; r++) {
  const first = r % 2 ? ours : bare,
    second = r % 2 ? bare : ours
  const x = await timed(first),
    y = await timed(second)
  const [o, f] = r % 2 ? [x, y] : [y, x]
  ratios.push(o / f)
  a.push((o / times) * 1000)
  b.push((f / times) * 1000)
}
const sorted = (n: number[]) => n.toSorted((x, y) => x - y),
  med = (n: number[]) => sorted(n)[n.length >> 1]!
console.log(
  JSON.stringify({
    ratio: med(ratios),
    min: sorted(ratios)[0],
    max: sorted(ratios).at(-1),
    ours: med(a),
    floor: med(b),
  }),
)
client.disconnect()
await locks.close()
