import { lockService } from './etcd/lock-service.ts'
import { ours } from './ours.ts'
import { free } from './raw.ts'
import type { Release, Subject } from './subject.ts'

const httpOf = (url: string) => url.replace('etcd://', 'http://')

const floor: Subject = {
  name: 'raw driver',
  kind: 'floor',
  settings:
    'etcd3: a transaction that puts a key unless it is there, under a lease that is shared, and a deletion; to tell another process: a deletion, its watch event, and a put',
  cannot: { wait: 'a call does not wait', hold: 'one lease keeps any number', crash: 'not measured: its ttl' },
  async open({ url, ttl }) {
    const { Etcd3 } = await import('etcd3')
    const client = new Etcd3({ hosts: httpOf(url) })
    const lease = client.lease(ttl / 1_000)
    const id = await lease.grant()
    const tryAcquire = async (name: string): Promise<Release | null> => {
      const key = Buffer.from(`raw/${name}`)
      const free = { key, target: 'Create', result: 'Equal', create_revision: '0' } as const
      const put = { request_put: { key, value: Buffer.from('value'), lease: id } }
      if (!(await client.kv.txn({ compare: [free], success: [put] })).succeeded) return null
      return async () => {
        if ((await client.kv.deleteRange({ key })).deleted !== '1') throw new Error('it is not there')
      }
    }
    return {
      tryAcquire,
      acquire: (name) => free(tryAcquire(name)),
      async relay() {
        const keyOf = (channel: string) => Buffer.from(`relay/${channel}`)
        const put = (channel: string) => client.kv.put({ key: keyOf(channel), value: Buffer.from('value') })
        return {
          async listen(channel, heard) {
            await put(channel)
            const watcher = await client.watch().key(keyOf(channel)).create()
            watcher.on('delete', () => void put(channel).then(heard))
          },
          pass: (channel) => void client.kv.deleteRange({ key: keyOf(channel) }),
        }
      },
      async close() {
        await lease.revoke()
        client.close()
      },
    }
  },
}

const driversLock: Subject = {
  name: 'etcd3 Lock',
  kind: 'peer',
  settings: 'client.lock(name).ttl(): a lease for each lock',
  cannot: { wait: 'acquire() tries once, and rejects', shared: 'has no shared mode', permits: 'has no semaphores' },
  async open({ url, ttl }) {
    const { Etcd3, EtcdLockFailedError } = await import('etcd3')
    const client = new Etcd3({ hosts: httpOf(url) })
    const acquire = async (name: string) => {
      const lock = await client
        .lock(name)
        .ttl(ttl / 1_000)
        .acquire()
      return () => lock.release()
    }
    return {
      acquire,
      async tryAcquire(name) {
        try {
          return await acquire(name)
        } catch (error) {
          if (error instanceof EtcdLockFailedError) return null
          throw error
        }
      },
      close: async () => client.close(),
    }
  },
}

export const subjects: readonly Subject[] = [
  ...ours({
    settings: 'as it is',
    bundle: { packages: ['@locks/core', '@locks/etcd'], external: ['etcd3'] },
  }),
  floor,
  driversLock,
  lockService,
]
