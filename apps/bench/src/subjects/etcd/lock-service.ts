import type { Lease } from 'etcd3'
import type { Place, Release, Subject } from '../subject.ts'

interface Service {
  Lock(request: { name: Buffer; lease: string }, done: (error: Error | null, answer: { key: Buffer }) => void): void
  Unlock(request: { key: Buffer }, done: (error: Error | null) => void): void
  close(): void
}

/** The server's own: it queues and watches by itself, and answers when the lock is there. */
export const lockService: Subject = {
  name: 'etcd lock service',
  kind: 'peer',
  settings:
    'v3lockpb.Lock over gRPC; one lease for all names of a client, and one more for each further waiter for a name: to the service, a lease is an owner',
  cannot: { try: 'has no call that does not wait', shared: 'has no shared mode', permits: 'has no semaphores' },
  async open(place) {
    const service = await connected(place)
    const { Etcd3 } = await import('etcd3')
    const client = new Etcd3({ hosts: httpOf(place.url) })
    const lease = async () => {
      const made = client.lease(place.ttl / 1_000)
      await made.grant()
      return made
    }
    const shared = await lease()
    /** Whose lock or wait the shared lease stands for. */
    const taken = new Set<string>()

    async function lockBy(owner: Lease, name: string): Promise<Buffer> {
      const id = await owner.grant()
      return new Promise((resolve, reject) => {
        service.Lock({ name: Buffer.from(name), lease: id }, (error, answer) =>
          error ? reject(error) : resolve(answer.key),
        )
      })
    }
    const unlock = (key: Buffer) =>
      new Promise<void>((resolve, reject) => service.Unlock({ key }, (error) => (error ? reject(error) : resolve())))

    return {
      async acquire(name): Promise<Release> {
        if (taken.has(name)) {
          const own = await lease()
          await lockBy(own, name)
          return () => own.revoke()
        }
        taken.add(name)
        const key = await lockBy(shared, name)
        return async () => {
          await unlock(key)
          taken.delete(name)
        }
      },
      waiting: async (name) => Number(await client.getAll().prefix(`${name}/`).count()) - 1,
      async close() {
        service.close()
        await shared.revoke()
        client.close()
      },
    }
  },
}

const httpOf = (url: string) => url.replace('etcd://', 'http://')

async function connected({ url }: Place): Promise<Service> {
  const [grpc, loader] = await Promise.all([import('@grpc/grpc-js'), import('@grpc/proto-loader')])
  const file = new URL('./v3lock.proto', import.meta.url).pathname
  const definition = await loader.load(file, { longs: String, keepCase: true })
  const loaded = grpc.loadPackageDefinition(definition)['v3lockpb'] as unknown as {
    Lock: new (address: string, credentials: object) => Service
  }
  return new loaded.Lock(url.replace('etcd://', ''), grpc.credentials.createInsecure())
}
