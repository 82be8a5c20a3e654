/**
 * A resource that is marked as free or as taken, in Redis: whoever finds it free marks it as taken. Between looking and marking
 * there is time for others to look too, so that several take it. Under a lock one does. `npm run example:room` shows both, on
 * the Redis that LOCKS_URL names.
 */
import { setTimeout as think } from 'node:timers/promises'
import { LockManager } from '@locks/core'
import { redis, RedisGuard } from '@locks/redis'
import { Redis } from 'ioredis'

const url = process.env.LOCKS_URL ?? 'redis://localhost:6379'
const key = '{meeting-room}:state'

/** One guest: a client of the room's Redis, and of the locks. */
class Guest {
  readonly #name: string
  readonly #client = new Redis(url)
  readonly #locks = new LockManager(redis({ url }))
  readonly #guard = new RedisGuard(this.#client, '{meeting-room}:fence')

  constructor(name: string) {
    this.#name = name
  }

  /** Takes the room if it is free. */
  async take(): Promise<boolean> {
    if ((await this.#client.get(key)) !== 'free') return false
    await think(20) // the calendar is asked
    await this.#client.set(key, `taken by ${this.#name}`)
    return true
  }

  /** The same, one guest at a time. */
  takeLocked(): Promise<boolean> {
    return this.#locks.request('meeting-room', async (lock) => {
      // From now on whoever held the lock before can no longer write, however late it wakes up.
      await this.#guard.enter(lock)
      if ((await this.#client.get(key)) !== 'free') return false
      await think(20)
      const set = `return redis.call('SET', KEYS[1], ARGV[1])`
      await this.#guard.run(lock, set, { keys: [key], args: [`taken by ${this.#name}`] })
      return true
    })
  }

  async leave(): Promise<void> {
    await this.#locks.close()
    await this.#client.quit()
  }
}

const guests = ['Ada', 'Ben', 'Cem', 'Dag', 'Eva'].map((name) => new Guest(name))
const room = new Redis(url)

async function play(how: 'without' | 'with', take: (guest: Guest) => Promise<boolean>): Promise<void> {
  await room.set(key, 'free')
  const taken = await Promise.all(guests.map(take))
  console.log(
    `${how} a lock ${taken.filter(Boolean).length} of ${guests.length} guests have the room: it is ${await room.get(key)}`,
  )
}

await play('without', (guest) => guest.take())
await play('with', (guest) => guest.takeLocked())
await Promise.all(guests.map((guest) => guest.leave()))
await room.quit()
