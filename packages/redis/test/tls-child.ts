/** `node tls-child.ts URL`: takes a lock and gives it back; says in a line of JSON how that went. */
import { LockError, openLocks } from '@locks/core'
import { adapter } from '@locks/redis'

try {
  const locks = await openLocks(process.argv[2] ?? '', { adapters: [adapter], connectTimeout: 10_000 })
  const lock = await locks.acquire('a')
  const second = locks.acquire('a')
  await lock.release()
  await (await second).release()
  await locks.close()
  console.log(JSON.stringify({ held: true }))
} catch (error) {
  const { code, temporary, message } = LockError.find(error) ?? { message: String(error) }
  console.log(JSON.stringify({ code, temporary, message }))
}
