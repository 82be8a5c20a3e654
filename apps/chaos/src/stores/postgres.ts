import { startPostgres } from '@locks/testkit'
import { jump } from '../nemesis/clients.ts'
import type { Fault } from '../nemesis/fault.ts'
import { serverFaults } from './servers.ts'
import type { Store } from './store.ts'

export const postgres: Store = {
  name: 'postgres',
  ttl: 2_000,
  sessions: true,
  async start(servers) {
    const server = await startPostgres()
    const through = ([port = 0]: readonly number[]) => ({ url: `postgres://postgres@127.0.0.1:${port}/postgres` })
    const terminated: Fault = {
      kind: 'sessions terminated',
      lasts: [0, 0],
      // The connection is the lock: it is free at once, and its holder learns of it a moment later.
      breaks: true,
      async inflict(_, chance) {
        const all = chance.unit() < 0.3
        const which = all ? '' : 'ORDER BY random() LIMIT 1'
        await server.psql(
          `SELECT pg_terminate_backend(pid) FROM (SELECT pid FROM pg_stat_activity
            WHERE application_name LIKE '@locks/postgres%' ${which}) AS one`,
        )
        return { target: all ? 'all sessions' : 'one session' }
      },
    }
    return {
      way: through([server.port]),
      network: { ports: [server.port], framing: 'postgres', through, connectionIsLock: true },
      faults: [
        ...serverFaults('server', () => Promise.resolve([server])),
        terminated,
        // After a start grants wait until nobody can believe in a lock that was forgotten; for that it asks this clock.
        ...(servers ? [jump('servers’ wall clock jumps', servers, true)] : []),
      ],
      async left() {
        const [locks, sessions] = [await server.advisoryLocks(), await server.sessions()]
        return locks + sessions === 0 ? [] : [`${locks} advisory locks`, `${sessions} sessions`]
      },
      end: () => server.end(),
    }
  },
}
