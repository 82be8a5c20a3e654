import { randomBytes } from 'node:crypto'
import type { Redis } from 'ioredis'
import { ours } from './ours.ts'
import { free } from './raw.ts'
import type { Locker, Place, Release, Subject } from './subject.ts'

async function connected({ url, together = false }: Place): Promise<Redis> {
  const { Redis } = await import('ioredis')
  return new Redis(url, { enableAutoPipelining: together })
}

const external = ['ioredis']
const exclusiveOnly = { shared: 'has no shared mode', permits: 'has no semaphores' } as const

const floor: Subject = {
  name: 'raw driver',
  kind: 'floor',
  settings:
    'ioredis: SET NX PX, and a script by its hash that deletes what has one’s own id; with autopipelining where many leave at once; to tell another process: PUBLISH',
  cannot: { wait: 'a command does not wait', hold: 'a key is not kept alive', crash: 'not measured: its ttl' },
  async open(place) {
    const client = await connected(place)
    const compareAndDelete = `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0`
    const sha = String(await client.script('LOAD', compareAndDelete))
    const tryAcquire = async (name: string): Promise<Release | null> => {
      const id = randomBytes(16).toString('base64url')
      if ((await client.set(`raw:${name}`, id, 'PX', place.ttl, 'NX')) !== 'OK') return null
      return async () => {
        if ((await client.evalsha(sha, 1, `raw:${name}`, id)) !== 1) throw new Error('it is not there')
      }
    }
    let subscriber: Redis | undefined
    return {
      tryAcquire,
      acquire: (name) => free(tryAcquire(name)),
      async relay() {
        subscriber = await connected(place)
        const heard = new Map<string, () => void>()
        subscriber.on('message', (channel: string) => heard.get(channel)?.())
        return {
          async listen(channel, hear) {
            heard.set(channel, hear)
            await subscriber?.subscribe(channel)
          },
          pass: (channel) => void client.publish(channel, ''),
        }
      },
      async close() {
        subscriber?.disconnect()
        client.disconnect()
      },
    }
  },
}

const redlock: Subject = {
  name: 'redlock',
  kind: 'peer',
  settings:
    'one node; defaults (looks every 200 ms, ± 100 ms), but for retryCount -1: as often as it takes; holds by using()',
  polls: true,
  cannot: exclusiveOnly,
  bundle: { packages: ['redlock'], external },
  async open(place) {
    const { default: Redlock, ExecutionError } = await import('redlock')
    const client = await connected(place)
    const patient = new Redlock([client], { retryCount: -1 })
    const impatient = new Redlock([client], { retryCount: 0 })
    // What it cannot ask for is an event as well.
    for (const each of [patient, impatient]) each.on('error', () => {})
    return {
      async acquire(name) {
        const lock = await patient.acquire([name], place.ttl)
        return () => lock.release()
      },
      async tryAcquire(name) {
        try {
          const lock = await impatient.acquire([name], place.ttl)
          return () => lock.release()
        } catch (error) {
          if (error instanceof ExecutionError) return null
          throw error
        }
      },
      hold: (name) => held((routine) => patient.using([name], place.ttl, routine)),
      close: async () => client.disconnect(),
    }
  },
}

/** Of an API that locks around a routine: the lock, until it is released. */
function held(using: (routine: () => Promise<void>) => Promise<unknown>): Promise<Release> {
  return new Promise((resolve, reject) => {
    const ended = using(
      () =>
        new Promise<void>((end) => {
          resolve(() => {
            end()
            return ended
          })
        }),
    )
    ended.catch(reject)
  })
}

const redisSemaphore: Subject = {
  name: 'redis-semaphore',
  kind: 'peer',
  settings:
    'defaults (looks every 10 ms, refreshes at 80 % of its time), but for an acquireTimeout that does not end a wait',
  polls: true,
  cannot: { shared: 'has no shared mode' },
  bundle: { packages: ['redis-semaphore'], external },
  async open(place) {
    const { Mutex, Semaphore } = await import('redis-semaphore')
    const client = await connected(place)
    const options = { lockTimeout: place.ttl, acquireTimeout: 3_600_000 }
    const acquired = async (lock: InstanceType<typeof Mutex>): Promise<Release> => {
      await lock.acquire()
      return () => lock.release()
    }
    return {
      acquire: (name) => acquired(new Mutex(client, name, options)),
      async tryAcquire(name) {
        const mutex = new Mutex(client, name, { ...options, acquireAttemptsLimit: 1 })
        return (await mutex.tryAcquire()) ? () => mutex.release() : null
      },
      acquirePermit: (name, permits) => acquired(new Semaphore(client, name, permits, options)),
      close: async () => client.disconnect(),
    }
  },
}

const redlockUniversal: Subject = {
  name: 'redlock-universal',
  kind: 'peer',
  settings:
    'defaults (looks every 100 ms), but for as many retryAttempts as it takes; one lock object a name; holds by using()',
  polls: true,
  cannot: exclusiveOnly,
  bundle: { packages: ['redlock-universal'], external },
  async open(place) {
    const { createLock, IoredisAdapter, LockAcquisitionError } = await import('redlock-universal')
    const client = await connected(place)
    const adapter = new IoredisAdapter(client)
    const locksOf = (retryAttempts: number) => {
      const locks = new Map<string, ReturnType<typeof createLock>>()
      return (key: string) => {
        const lock = locks.get(key) ?? createLock({ adapter, key, ttl: place.ttl, retryAttempts })
        locks.set(key, lock)
        return lock
      }
    }
    const [patient, impatient] = [locksOf(1_000_000), locksOf(0)]
    return {
      async acquire(name) {
        const lock = patient(name)
        const handle = await lock.acquire()
        return () => lock.release(handle)
      },
      async tryAcquire(name) {
        const lock = impatient(name)
        try {
          const handle = await lock.acquire()
          return () => lock.release(handle)
        } catch (error) {
          if (error instanceof LockAcquisitionError) return null
          throw error
        }
      },
      hold: (name) => held((routine) => patient(name).using(routine)),
      close: async () => client.disconnect(),
    }
  },
}

const verrou: Subject = {
  name: '@verrou/core',
  kind: 'peer',
  settings: 'defaults (looks every 250 ms, for ever)',
  polls: true,
  cannot: { ...exclusiveOnly, hold: 'keeps nothing alive by itself' },
  bundle: {
    packages: ['@verrou/core', '@verrou/core/drivers/redis'],
    external: [...external, '@aws-sdk/*', 'knex', 'kysely'],
  },
  async open(place): Promise<Locker> {
    const { Verrou } = await import('@verrou/core')
    const { redisStore } = await import('@verrou/core/drivers/redis')
    const client = await connected(place)
    const stores = { redis: { driver: redisStore({ connection: client as never }) } }
    const locks = new Verrou({ default: 'redis', stores })
    return {
      async acquire(name) {
        const lock = locks.createLock(name, place.ttl)
        if (!(await lock.acquire())) throw new Error('it gave up')
        return () => lock.release()
      },
      async tryAcquire(name) {
        const lock = locks.createLock(name, place.ttl)
        return (await lock.acquireImmediately()) ? () => lock.release() : null
      },
      close: async () => client.disconnect(),
    }
  },
}

export const subjects: readonly Subject[] = [
  ...ours({
    settings: 'restartGrace false: the server has just been started',
    bundle: { packages: ['@locks/core', '@locks/redis'], external },
    query: '?restartGrace=false',
  }),
  floor,
  redlock,
  redisSemaphore,
  redlockUniversal,
  verrou,
]
