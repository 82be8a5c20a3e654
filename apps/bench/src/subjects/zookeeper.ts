import { ours } from './ours.ts'
import { free } from './raw.ts'
import type { Release, Subject } from './subject.ts'
import { modes, Zookeeper } from './zookeeper-driver.ts'

const floor: Subject = {
  name: 'raw driver',
  kind: 'floor',
  settings:
    'node-zookeeper-client: an ephemeral node is created and removed; to tell another process: a removal, its watch event, and a creation',
  cannot: { wait: 'a call does not wait', hold: 'one session keeps any number', crash: 'not measured: its session' },
  async open({ url, ttl }) {
    const client = await Zookeeper.connect(url, ttl)
    const tryAcquire = async (name: string): Promise<Release | null> => {
      const path = `/raw ${name}`
      return (await client.createNew(path, modes.ephemeral)) ? () => client.remove(path) : null
    }
    return {
      tryAcquire,
      acquire: (name) => free(tryAcquire(name)),
      async relay() {
        const pathOf = (channel: string) => `/relay ${channel}`
        return {
          async listen(channel, heard) {
            const path = pathOf(channel)
            const prepare = (): Promise<unknown> => {
              // They leave together: one round trip.
              const made = client.create(path, modes.ephemeral)
              return Promise.all([made, client.exists(path, () => void prepare().then(heard))])
            }
            await prepare()
          },
          pass: (channel) => void client.remove(pathOf(channel)),
        }
      },
      close: async () => client.close(),
    }
  },
}

const recipe: Subject = {
  name: 'plain recipe',
  kind: 'peer',
  settings:
    "ZooKeeper's own recipe on node-zookeeper-client: a sequential ephemeral node, the list of them, a watch on the predecessor; parents stay",
  cannot: { shared: 'the plain recipe is exclusive', permits: 'the plain recipe is exclusive' },
  async open({ url, ttl }) {
    const client = await Zookeeper.connect(url, ttl)
    const parents = new Map<string, Promise<string>>()
    const parentOf = (name: string) => {
      const path = `/recipe ${name}`
      const known = parents.get(name) ?? client.createNew(path, modes.persistent).then(() => path)
      parents.set(name, known)
      return known
    }
    /** The node that was made, those before it, and its parent. */
    async function queue(name: string) {
      const parent = await parentOf(name)
      const path = await client.create(`${parent}/n`, modes.ephemeralSequential)
      const before = async () => {
        const others = (await client.children(parent)).map((child) => `${parent}/${child}`)
        return others.filter((other) => other < path).toSorted()
      }
      return { path, before }
    }
    return {
      async acquire(name) {
        const { path, before } = await queue(name)
        for (;;) {
          const predecessor = (await before()).at(-1)
          if (predecessor === undefined) return () => client.remove(path)
          await gone(client, predecessor)
        }
      },
      async tryAcquire(name) {
        const { path, before } = await queue(name)
        if ((await before()).length === 0) return () => client.remove(path)
        await client.remove(path)
        return null
      },
      waiting: async (name) => (await client.children(await parentOf(name))).length - 1,
      close: async () => client.close(),
    }
  },
}

async function gone(client: Zookeeper, path: string): Promise<void> {
  let changed: () => void = () => {}
  const told = new Promise<void>((resolve) => (changed = resolve))
  if (await client.exists(path, changed)) await told
}

export const subjects: readonly Subject[] = [
  ...ours({
    settings: 'as it is',
    bundle: { packages: ['@locks/core', '@locks/zookeeper'], external: ['node-zookeeper-client'] },
  }),
  floor,
  recipe,
]
