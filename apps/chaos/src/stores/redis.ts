import { startCluster, startRedis, startSentinel, type RedisServer } from '@locks/testkit'
import type { Clock } from '../clock/shim.ts'
import { jump } from '../nemesis/clients.ts'
import type { Fault } from '../nemesis/fault.ts'
import type { Way } from '../work/open.ts'
import { serverFaults } from './servers.ts'
import type { Store } from './store.ts'

const ttl = 1_500

export const redis: Store = {
  name: 'redis',
  ttl,
  async start(servers) {
    const server = await startRedis({ appendonly: true })
    const through = ([port = 0]: readonly number[]) => ({ url: `redis://127.0.0.1:${port}` })
    const only = () => Promise.resolve([server])
    return {
      way: through([server.port]),
      network: { ports: [server.port], framing: 'resp', through },
      faults: [...serverFaults('server', only), ...dataFaults(only), eviction(server), ...clockFaults(servers)],
      left: () => leftAt([server]),
      end: () => server.end(),
    }
  },
}

export const sentinel: Store = {
  name: 'redis-sentinel',
  ttl,
  async start(servers) {
    const deployment = await startSentinel()
    const { nodes, sentinels, name } = deployment
    const url = `redis+sentinel://${hosts(sentinels.map(({ port }) => port))}/${name}?restartGrace=false`
    const ports = nodes.map(({ port }) => port)
    const master = async () => [await deployment.master()]
    const failover = (how: 'killed' | 'stopped'): Fault => ({
      kind: `master ${how}`,
      lasts: [0, 0.5],
      // Replication is asynchronous: what the replica has not heard of is forgotten.
      breaks: true,
      forgets: true,
      weight: 2,
      async inflict() {
        const former = await deployment.master()
        await (how === 'killed' ? former.kill() : former.stop())
        return { target: `node ${ports.indexOf(former.port)}`, heal: () => replaced(former, deployment, how) }
      },
    })
    return {
      way: { url },
      network: { ports, framing: 'resp', through: (others) => ({ url, natMap: natMap(ports, others) }) },
      faults: [
        ...[failover('killed'), failover('stopped'), ...dataFaults(master)],
        ...clockFaults(servers, () => deployment.ready()),
      ],
      left: async () => leftAt(await master()),
      end: () => deployment.end(),
    }
  },
}

export const cluster: Store = {
  name: 'redis-cluster',
  ttl,
  async start(servers) {
    const deployment = await startCluster()
    const ports = deployment.nodes.map(({ port }) => port)
    const through = (others: readonly number[]): Way => ({
      url: `redis+cluster://${hosts(others)}?restartGrace=false`,
      natMap: natMap(ports, others),
    })
    const failover = (how: 'killed' | 'stopped'): Fault => ({
      kind: `master ${how}`,
      lasts: [0, 0.5],
      breaks: true,
      forgets: true,
      weight: 2,
      async inflict(_, chance) {
        const former = chance.oneOf(await deployment.masters())
        await (how === 'killed' ? former.kill() : former.stop())
        return { target: `node ${ports.indexOf(former.port)}`, heal: () => replaced(former, deployment, how) }
      },
    })
    const masters = () => deployment.masters()
    return {
      way: through(ports),
      network: { ports, framing: 'resp', through },
      faults: [failover('killed'), failover('stopped'), ...dataFaults(masters), ...clockFaults(servers)],
      left: async () => leftAt(await masters()),
      end: () => deployment.end(),
    }
  },
}

interface Replicated {
  promoted(former: RedisServer): Promise<RedisServer>
  ready(): Promise<void>
}

/** Another is master in its place, and it follows that one. */
async function replaced(former: RedisServer, deployment: Replicated, how: 'killed' | 'stopped'): Promise<void> {
  await deployment.promoted(former)
  await (how === 'killed' ? former.start() : former.continue())
  await deployment.ready()
}

function dataFaults(masters: () => Promise<readonly RedisServer[]>): Fault[] {
  const told = (kind: string, breaks: boolean, ...command: string[]): Fault => ({
    kind,
    lasts: [0, 0],
    breaks,
    async inflict() {
      await Promise.all((await masters()).map((each) => each.cli(...command)))
      return { target: 'all data' }
    },
  })
  const keyDeleted: Fault = {
    kind: 'key deleted',
    lasts: [0, 0],
    breaks: true,
    async inflict(_, chance) {
      const server = chance.oneOf(await masters())
      const key = (await server.cli('RANDOMKEY')).trim()
      if (key === '') return undefined
      await server.cli('DEL', key)
      return { target: key }
    },
  }
  return [told('FLUSHALL', true, 'FLUSHALL'), told('SCRIPT FLUSH', false, 'SCRIPT', 'FLUSH'), keyDeleted]
}

/** Memory runs short, and keys are thrown away whatever they are. */
function eviction(server: RedisServer): Fault {
  const set = (name: string, value: string) => server.cli('CONFIG', 'SET', name, value)
  return {
    kind: 'eviction',
    lasts: [0.1, 0.5],
    breaks: true,
    async inflict() {
      await set('maxmemory-policy', 'allkeys-random')
      await set('maxmemory', '1mb')
      const heal = async () => {
        await set('maxmemory', '0')
        await set('maxmemory-policy', 'noeviction')
      }
      return { target: 'all data', heal }
    },
  }
}

const clockFaults = (servers: Clock | undefined, ready?: () => Promise<void>): Fault[] =>
  servers
    ? [jump('servers’ wall clock jumps', servers, { breaks: true, catchesUp: true, ...(ready && { ready }) })]
    : []

/** Fields of holders and waiters: all but last tokens, and what is counted. */
export async function leftAt(servers: readonly RedisServer[]): Promise<string[]> {
  const found = await Promise.all(
    servers.map(async (server) => {
      const fields: string[] = []
      for (const key of lines(await server.cli('KEYS', '*'))) {
        fields.push(...lines(await server.cli('HKEYS', key)).filter((field) => /^[#=@]/.test(field)))
      }
      return fields
    }),
  )
  return found.flat()
}

const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '')

const hosts = (ports: readonly number[]): string => ports.map((port) => `127.0.0.1:${port}`).join()

const natMap = (ports: readonly number[], others: readonly number[]) =>
  Object.fromEntries(ports.map((port, at) => [`127.0.0.1:${port}`, { host: '127.0.0.1', port: others[at] ?? 0 }]))
