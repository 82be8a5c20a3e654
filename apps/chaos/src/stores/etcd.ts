import { startEtcd, startEtcdCluster, type EtcdServer } from '@locks/testkit'
import type { Fault } from '../nemesis/fault.ts'
import { lossOf, majorityLoss } from './ensemble.ts'
import { serverFaults } from './servers.ts'
import type { Deployment, Store } from './store.ts'

/** The least that the servers grant. Theirs is no wall clock that could be set: Go does not ask the C library. */
const ttl = 2_000

export const etcd: Store = {
  name: 'etcd',
  ttl,
  sessions: true,
  async start() {
    const server = await startEtcd()
    const faults = serverFaults('server', () => Promise.resolve([server]))
    return deployment([server], faults, () => server.end())
  },
}

export const etcd3: Store = {
  name: 'etcd-3',
  ttl,
  sessions: true,
  async start() {
    const cluster = await startEtcdCluster({ electionTimeout: 500 })
    const { members } = cluster
    const ensemble = { servers: members, leader: () => cluster.leader(), ready: () => cluster.ready() }
    const isolated: Fault = {
      kind: 'leader cut off from the others',
      lasts: [0.5, 2],
      async inflict() {
        const leader = await cluster.leader()
        await cluster.isolate(leader)
        const heal = async () => {
          await cluster.heal()
          await cluster.ready()
        }
        return { target: `member ${members.indexOf(leader)}`, heal }
      },
    }
    return deployment(members, [...lossOf('leader', ensemble), isolated, majorityLoss(ensemble)], () => cluster.end())
  },
}

function deployment(members: readonly EtcdServer[], faults: readonly Fault[], end: () => Promise<void>): Deployment {
  const through = (ports: readonly number[]) => ({ url: `etcd://${ports.map((port) => `127.0.0.1:${port}`).join()}` })
  const ports = members.map(({ port }) => port)
  /** One that answers; with a majority, any will do. */
  const ask = <T>(question: (member: EtcdServer) => Promise<T>) => Promise.any(members.map(question))
  return {
    way: through(ports),
    network: { ports, framing: 'grpc', through },
    faults: [...faults, ...dataFaults(ask)],
    left: () => ask(async (member) => [...(await member.keys('locks/')), ...(await member.leases())]),
    end,
  }
}

type Ask = (question: (member: EtcdServer) => Promise<unknown>) => Promise<unknown>

function dataFaults(ask: Ask): Fault[] {
  const once = (kind: string, breaks: boolean, what: (member: EtcdServer) => Promise<unknown>): Fault => ({
    kind,
    lasts: [0, 0],
    breaks,
    async inflict() {
      await ask(what)
      return { target: 'all data' }
    },
  })
  return [
    once('leases revoked', true, async (member) => {
      for (const lease of await member.leases()) await member.ctl('lease', 'revoke', lease).catch(() => {})
    }),
    once('keys deleted', true, (member) => member.ctl('del', 'locks/', '--prefix')),
    once('history compacted', false, async (member) => {
      const { header } = JSON.parse(await member.ctl('get', 'none', '-w', 'json')) as { header: { revision: number } }
      await member.ctl('compact', String(header.revision))
    }),
  ]
}
