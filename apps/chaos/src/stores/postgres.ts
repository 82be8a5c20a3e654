import { startLink, startPostgres, startStandby, type NetworkLink, type PostgresServer } from '@locks/testkit'
import type { Clock } from '../clock/shim.ts'
import { jump } from '../nemesis/clients.ts'
import type { Fault } from '../nemesis/fault.ts'
import { serverFaults } from './servers.ts'
import type { Store } from './store.ts'

const ttl = 2_000

export const postgres: Store = {
  name: 'postgres',
  ttl,
  sessions: true,
  async start(servers) {
    const server = await startPostgres()
    const only = () => server
    return {
      way: wayOf(server),
      network: networkOf(server),
      faults: [...serverFaults('server', () => Promise.resolve([server])), ...ownFaults(only), ...clockFaults(servers)],
      left: () => leftAt(server),
      end: () => server.end(),
    }
  },
}

/** With a standby that takes over, and an address that moves with it. */
export const standby: Store = {
  name: 'postgres-standby',
  ttl,
  sessions: true,
  async start(servers) {
    let primary = await startPostgres()
    let follower = await startStandby(primary)
    const current = () => primary
    const failover = (how: 'killed' | 'stopped'): Fault => ({
      kind: `primary ${how}, standby promoted`,
      lasts: [0, 0.5],
      // What it had not heard of yet is forgotten.
      forgets: true,
      weight: 2,
      async inflict({ lines }) {
        const former = primary
        await (how === 'killed' ? former.kill() : former.stop())
        await follower.promote()
        primary = follower
        const upstreams = [{ host: primary.host, port: primary.port }]
        for (const line of [...lines.values()].flat()) await line.redirect?.(upstreams)
        const heal = async () => {
          // At once: one that went on for a moment would be a second primary.
          await former.kill()
          await former.end()
          follower = await startStandby(primary)
        }
        return { target: 'the primary', heal }
      },
    })
    return {
      get way() {
        return wayOf(primary)
      },
      network: networkOf(primary),
      faults: [failover('killed'), failover('stopped'), ...ownFaults(current), ...clockFaults(servers)],
      left: () => leftAt(primary),
      end: async () => void (await Promise.all([primary.end(), follower.end()])),
    }
  },
}

/** On a host of its own, and its clients on another: nothing tells them when the link between the two goes down. */
export const link: Store = {
  name: 'postgres-link',
  ttl,
  sessions: true,
  async start(servers) {
    const hosts = await startLink()
    const server = await startPostgres({ at: hosts.far })
    const only = () => server
    return {
      way: { url: server.url },
      // By its Unix socket.
      aside: { url: server.url, socket: { folder: server.folder, port: server.port } },
      host: hosts.near,
      left: () => leftAt(server),
      faults: [linkDown(hosts), ...ownFaults(only), ...clockFaults(servers)],
      async end() {
        await server.end()
        await hosts.end()
      },
    }
  },
}

const linkDown = (hosts: NetworkLink): Fault => ({
  kind: 'link down',
  lasts: [0.1, 2],
  weight: 4,
  async inflict() {
    await hosts.down()
    return { target: 'all clients', heal: () => hosts.up() }
  },
})

const through = ([port = 0]: readonly number[]) => ({ url: `postgres://postgres@127.0.0.1:${port}/postgres` })

const wayOf = ({ port }: PostgresServer) => through([port])

const networkOf = ({ port }: PostgresServer) =>
  ({ ports: [port], framing: 'postgres', through, connectionIsLock: true }) as const

function ownFaults(current: () => PostgresServer): Fault[] {
  return [
    {
      kind: 'sessions terminated',
      lasts: [0, 0],
      // The connection is the lock: it is free at once, and its holder learns of it a moment later.
      breaks: true,
      async inflict(_, chance) {
        const all = chance.unit() < 0.3
        const which = all ? '' : 'ORDER BY random() LIMIT 1'
        await current().psql(
          `SELECT pg_terminate_backend(pid) FROM (SELECT pid FROM pg_stat_activity
            WHERE application_name LIKE '@locks/postgres%' ${which}) AS one`,
        )
        return { target: all ? 'all sessions' : 'one session' }
      },
    },
    {
      kind: 'rows deleted',
      lasts: [0, 0],
      // Breaks nothing: its holder has the advisory lock until it has heard of it.
      async inflict(_, chance) {
        const share = chance.between(0.3, 1)
        await current().psql(`DELETE FROM locks.entry WHERE random() < ${share}`)
        return { target: `${Math.round(100 * share)} % of them` }
      },
    },
  ]
}

/** After a start grants wait until nobody can believe in a lock that was forgotten; for that it asks this clock. */
const clockFaults = (servers: Clock | undefined): Fault[] =>
  servers ? [jump('servers’ wall clock jumps', servers, { breaks: true })] : []

async function leftAt(server: PostgresServer): Promise<string[]> {
  const [locks, sessions] = [await server.advisoryLocks(), await server.sessions()]
  return locks + sessions === 0 ? [] : [`${locks} advisory locks`, `${sessions} sessions`]
}
