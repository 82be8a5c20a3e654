import type { Backend } from '@locks/core/backend'
import { digestOf, startEnsemble, startZookeeper } from '@locks/testkit'
import { zookeeper } from '@locks/zookeeper'
import { connectAdmin } from './admin.ts'
import type { Form } from './harness.ts'

const user = { name: 'locks', password: 'of-the-user' }
const superPassword = 'of-the-admin'
/** Milliseconds; the shortest ttl of the servers is two of them. */
const tickTime = 200

const urlOf = (ports: readonly number[]) =>
  `zookeeper://${user.name}:${user.password}@${ports.map((port) => `127.0.0.1:${port}`).join()}/locks`

/** Its nodes are the user's, and nobody else may read or touch them. */
function open(ports: readonly number[]): Backend {
  return zookeeper({ url: urlOf(ports) })
}

export async function single(): Promise<Form> {
  const server = await startZookeeper({ tickTime, superPassword })
  const admin = await connectAdmin([server.port], superPassword)
  await admin.reserve('/locks', digestOf(user.name, user.password))
  return {
    backend: 'zookeeper',
    url: urlOf([server.port]),
    open,
    ports: [server.port],
    admin,
    endSession: (session) => server.endSession(session),
    async end() {
      admin.close()
      await server.end()
    },
  }
}

export async function ensemble(): Promise<Form> {
  const servers = await startEnsemble({ tickTime, superPassword })
  const ports = servers.servers.map(({ port }) => port)
  const admin = await connectAdmin(ports, superPassword)
  return {
    backend: 'zookeeper-3',
    url: urlOf(ports),
    open,
    ports,
    admin,
    async endSession(session) {
      await (await servers.leader()).endSession(session)
    },
    async end() {
      admin.close()
      await servers.end()
    },
  }
}
