/** `node first.ts URL COUNT`: as many managers, each of which takes a lock in the first moment; prints their tokens. */
import { LockManager } from '@locks/core'
import { postgres } from '@locks/postgres'

const [url = '', count] = process.argv.slice(2)
const managers = Array.from(
  { length: Number(count) },
  () => new LockManager(postgres({ url }), { connectTimeout: 20_000 }),
)
const tokens = await Promise.all(managers.map((locks) => locks.request('first', ({ token }) => String(token))))
await Promise.all(managers.map((locks) => locks.close()))
console.log(JSON.stringify(tokens))
