import { startEnsemble, startZookeeper, type ZookeeperServer } from '@locks/testkit'
import type { Clock } from '../clock/shim.ts'
import { jump } from '../nemesis/clients.ts'
import type { Fault } from '../nemesis/fault.ts'
import { eventually, lossOf, majorityLoss } from './ensemble.ts'
import { serverFaults } from './servers.ts'
import type { Deployment, Store } from './store.ts'

const ttl = 2_000

export const zookeeper: Store = {
  name: 'zookeeper',
  ttl,
  sessions: true,
  async start(servers) {
    const server = await startZookeeper()
    const faults = serverFaults('server', () => Promise.resolve([server]))
    return deployment(
      [server],
      () => Promise.resolve(server),
      [...faults, ...clockFaults(servers)],
      () => server.end(),
    )
  },
}

export const zookeeper3: Store = {
  name: 'zookeeper-3',
  ttl,
  sessions: true,
  async start(servers) {
    const ensemble = await startEnsemble()
    const cutOff: Fault = {
      kind: 'leader cut off from the others',
      lasts: [0.5, 2],
      async inflict() {
        const leader = await eventually(() => ensemble.leader())
        await ensemble.cutOff(leader)
        const heal = async () => {
          await ensemble.heal()
          await ensemble.ready()
        }
        return { target: `server ${ensemble.servers.indexOf(leader)}`, heal }
      },
    }
    const faults = [...lossOf('leader', ensemble), cutOff, majorityLoss(ensemble), ...clockFaults(servers)]
    return deployment(
      ensemble.servers,
      () => eventually(() => ensemble.leader()),
      faults,
      () => ensemble.end(),
    )
  },
}

function deployment(
  servers: readonly ZookeeperServer[],
  leader: () => Promise<ZookeeperServer>,
  faults: readonly Fault[],
  end: () => Promise<void>,
): Deployment {
  const through = (ports: readonly number[]) => ({
    url: `zookeeper://${ports.map((port) => `127.0.0.1:${port}`).join()}/locks`,
  })
  const ports = servers.map(({ port }) => port)
  const ended: Fault = {
    kind: 'session ended',
    lasts: [0, 0],
    // As its own client could; its holder learns of it with the next answer.
    breaks: true,
    async inflict(_, chance) {
      const server = await leader()
      const sessions = [...(await server.ephemerals()).keys()]
      const at = chance.unit()
      const session = sessions[Math.floor(at * sessions.length)]
      if (session === undefined) return undefined
      await server.endSession(session)
      return { target: 'one session' }
    },
  }
  const deleted: Fault = {
    kind: 'node deleted',
    lasts: [0, 0],
    // A holder's lock is free at once, and its holder learns of it a moment later.
    breaks: true,
    async inflict(_, chance) {
      const server = await leader()
      const paths = [...(await server.ephemerals()).values()].flat()
      const at = chance.unit()
      const path = paths[Math.floor(at * paths.length)]
      if (path === undefined) return undefined
      await server.deleteNode(path)
      return { target: 'one node' }
    },
  }
  return {
    way: through(ports),
    network: { ports, framing: 'zookeeper', through },
    faults: [...faults, ended, deleted],
    left: async () => [...(await (await leader()).ephemerals()).values()].flat(),
    end,
  }
}

/** It expires sessions by a monotonic one. */
const clockFaults = (servers: Clock | undefined): Fault[] =>
  servers ? [jump('servers’ wall clock jumps', servers, { breaks: false })] : []
